"""The memory snapshot of a study: what it is made of, and whether there is one."""

from collections.abc import Callable, Sequence
from pathlib import Path

from app.python.cache import Cache
from app.python.node import OLDEST_NODE, find_node
from app.python.parts import SnapshotFile
from app.python.snapshots import Environment, Ingredients, SnapshotNotMade, cached_snapshot
from app.services.delivery import PYODIDE_FOLDER, environment_name
from app.services.static_files import runner_file, static_folder
from app.services.study_files import LoadedStudy
from app.studies import Game


def study_snapshot(
    study: LoadedStudy,
    cache: Cache,
    *,
    packages: Path | None = None,
    say: Callable[[str], None] = lambda sentence: None,
    node: Callable[[], Sequence[str] | None] = find_node,
) -> SnapshotFile | None:
    """The snapshot of a study, made now unless the cache has it; None without any environment.

    Args:
        study: the study.
        cache: where it is kept.
        packages: the pack of the study's pure packages.
        say: is told, in a sentence, before it is made.
        node: finds the command that runs Node.js.

    Raises:
        SnapshotNotMade: there is no Node.js, or the snapshot cannot be made.
        OSError: the cache cannot keep it.
    """
    ingredients = ingredients_of(study, packages)
    if not ingredients.environments:
        return None
    command = node()
    if command is None:
        raise SnapshotNotMade(
            f"there is no Node.js {OLDEST_NODE} or later; install one, or grace-server[snapshot]"
        )
    if not (cache.folder / ingredients.key).is_dir():
        say("making a memory snapshot of Python with the study's environments: once, some seconds")
    return cached_snapshot(cache, ingredients, command)


def ingredients_of(study: LoadedStudy, packages: Path | None) -> Ingredients:
    """What the study's snapshot is made of."""
    static = static_folder()
    return Ingredients(
        pyodide=static / PYODIDE_FOLDER,
        page=static / "js",
        runner=runner_file(),
        environments=[
            Environment(
                environment_name(scene.scene_id),
                study.environments[scene.scene_id].source,
                scene.config,
                (0, *(control.value for control in scene.controls)),
            )
            for scene in study.study.scenes
            if isinstance(scene, Game)
        ],
        packages=packages,
    )
