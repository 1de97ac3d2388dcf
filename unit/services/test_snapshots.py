import sys
from pathlib import Path

import pytest

from app.clock import ManualClock
from app.python.cache import Cache
from app.python.parts import SnapshotFile, StudyPackages
from app.python.snapshots import SnapshotNotMade
from app.services.packages import PreparedPackages
from app.services.snapshots import describe_snapshot, ingredients_of, study_snapshot
from app.services.study_files import LoadedStudy, load_study
from app.settings import EXAMPLE_STUDY
from app.studies import Study, Text

MAKES = """
import json, pathlib, sys
order = json.loads(pathlib.Path(sys.argv[2]).read_text())
pathlib.Path(order["target"]).write_text(order["environments"][0]["filename"])
print(json.dumps({"memory_bytes": 64, "header_bytes": 16}))
"""


@pytest.fixture(scope="module")
def shipped() -> LoadedStudy:
    """The study that ships with the server."""
    return load_study(EXAMPLE_STUDY)


def test_it_is_of_every_environment_with_its_configuration(shipped: LoadedStudy) -> None:
    """Under the name that the page gives it: the last two parts of its address."""
    (environment,) = ingredients_of(shipped, None).environments
    assert environment.filename == "match/environment.py"
    assert environment.source == shipped.environments["match"].source
    assert environment.config == {"points_to_win": 5, "max_steps": 3600}
    assert environment.actions == (0, 1, 2, 4)


def test_it_is_said_once_that_one_is_made(
    shipped: LoadedStudy, tmp_path: Path, clock: ManualClock
) -> None:
    """Whoever waits for the server knows why, and how long; what the cache has needs no Node.js."""
    said: list[str] = []
    commands = [None, (sys.executable, "-c", MAKES)]
    for _ in range(2):
        made = study_snapshot(
            shipped, Cache(tmp_path), say=said.append, node=commands.pop, clock=clock
        )
        assert made is not None
        assert made.path.read_text() == "match/environment.py"
    assert commands == [None]
    assert said == [
        "making a memory snapshot of Python with the study's environments: once, some seconds",
        "the memory snapshot was made in 0.0 s",
    ]


def test_its_size_is_said_and_that_of_what_travels(shipped: LoadedStudy, tmp_path: Path) -> None:
    """Compressed already, so that the server starts sooner."""
    cache = Cache(tmp_path)
    pack = tmp_path / "snapshot.pack"
    pack.write_bytes(bytes(3_000_000))
    described = describe_snapshot(SnapshotFile(pack, 31_000_000, 128), cache)
    assert described == f"3.0 MB of 31.0 MB (0.0 MB compressed): {pack}"
    assert list(cache.folder.rglob("snapshot.pack.br"))


def test_compiled_packages_are_loaded_plainly(shipped: LoadedStudy, tmp_path: Path) -> None:
    """They come after the memory was restored, and the environment cannot be imported without."""
    packages = PreparedPackages(StudyPackages(wheels=(tmp_path / "fast.whl",)))
    with pytest.raises(SnapshotNotMade, match="compiled packages"):
        study_snapshot(shipped, Cache(tmp_path), packages=packages, node=lambda: None)


def test_pure_packages_are_in_it(shipped: LoadedStudy, tmp_path: Path) -> None:
    """The environments import them, so the maker is told where they are."""
    pack = tmp_path / "packages.pack"
    pack.write_bytes(b"files")
    script = MAKES.replace('order["environments"][0]["filename"]', 'str(order["packages"])')
    made = study_snapshot(
        shipped,
        Cache(tmp_path / "cache"),
        packages=PreparedPackages(StudyPackages(pack=pack)),
        node=lambda: (sys.executable, "-c", script),
    )
    assert made is not None
    assert made.path.read_text() == str(pack)


def test_without_node_there_is_none_and_it_says_what_to_install(
    shipped: LoadedStudy, tmp_path: Path
) -> None:
    """The server starts all the same; whoever calls decides."""
    with pytest.raises(SnapshotNotMade, match=r"no Node\.js 20 or later; install"):
        study_snapshot(shipped, Cache(tmp_path), node=lambda: None)


def test_a_study_without_a_game_needs_none(tmp_path: Path) -> None:
    """Nobody would restore it."""
    study = Study(
        study_id="words", title="Words", scenes=[Text(scene_id="a", title="A", markdown="")]
    )
    loaded = LoadedStudy(study=study, environments={}, path=tmp_path / "study.py")
    assert study_snapshot(loaded, Cache(tmp_path), node=lambda: None) is None
