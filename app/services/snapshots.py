"""The memory snapshot of a study: what it is made of, and whether there is one."""

from collections.abc import Callable, Sequence
from pathlib import Path

from app.clock import Clock, SystemClock
from app.python.bundle import make_bundle
from app.python.cache import Cache
from app.python.node import OLDEST_NODE, find_node
from app.python.parts import SnapshotFile
from app.python.snapshots import (
    Environment,
    Ingredients,
    SnapshotNotMade,
    cached_snapshot,
    is_cached,
)
from app.services.delivery import PYODIDE_FOLDER, SNAPSHOT, environment_name
from app.services.packages import PreparedPackages
from app.services.static_files import runner_file, static_folder
from app.services.study_files import LoadedStudy
from app.studies import Game


def study_snapshot(
    study: LoadedStudy,
    cache: Cache,
    *,
    packages: PreparedPackages | None = None,
    say: Callable[[str], None] = lambda sentence: None,
    node: Callable[[], Sequence[str] | None] = find_node,
    clock: Clock | None = None,
) -> SnapshotFile | None:
    """The snapshot of a study, made now unless the cache has it; None without any environment.

    Args:
        study: the study.
        cache: where it is kept.
        packages: the study's packages; none by default.
        say: is told, in a sentence, before it is made and after.
        node: finds the command that runs Node.js; called when it is to be made.
        clock: tells how long it took; that of the system by default.

    Raises:
        SnapshotNotMade: there is no Node.js, a package is compiled, or the making failed.
        OSError: the cache cannot keep it.
    """
    packages = packages or PreparedPackages()
    ingredients = ingredients_of(study, packages.served.pack)
    if not ingredients.environments:
        return None
    if not packages.pure:
        raise SnapshotNotMade("the study has compiled packages, which it could not hold")
    if is_cached(cache, ingredients):
        return cached_snapshot(cache, ingredients, ())
    command = node()
    if command is None:
        raise SnapshotNotMade(
            f"there is no Node.js {OLDEST_NODE} or later; install one, or grace-server[snapshot]"
        )
    clock = clock or SystemClock()
    began = clock.now()
    say("making a memory snapshot of Python with the study's environments: once, some seconds")
    made = cached_snapshot(cache, ingredients, command)
    say(f"the memory snapshot was made in {clock.now() - began:.1f} s")
    return made


def describe_snapshot(made: SnapshotFile, cache: Cache) -> str:
    """How large a snapshot is, compressed too: that is done now, as `serve` would do it."""
    (file,) = make_bundle({SNAPSHOT: made.path}, cache).paths.values()
    compressed = Path(f"{file}.br")
    sent = compressed if compressed.is_file() else file
    return (
        f"{made.path.stat().st_size / 1e6:.1f} MB of {made.memory_bytes / 1e6:.1f} MB"
        f" ({sent.stat().st_size / 1e6:.1f} MB compressed): {made.path}"
    )


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
