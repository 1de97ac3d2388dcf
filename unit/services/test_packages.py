"""A study's packages: locked once, then the same everywhere."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.errors import PackageError
from app.python.cache import Cache
from app.python.lock import read_lock
from app.python.pack import read_files
from app.services import packages as packages_module
from app.services.environment_check import EnvironmentSource, check_environment
from app.services.packages import (
    PreparedPackages,
    lock_file,
    lock_packages,
    prepare_packages,
    served_lock,
)
from app.services.study_files import WrittenStudy
from app.studies import Game, Study
from unit.fakes.distributions import make_distribution
from unit.fakes.wheels import WEBASSEMBLY, FolderIndex, make_wheel

COUNTING = Path(__file__).with_name("environments") / "counting.py"
SCENE = Game(scene_id="game", title="Game", environment="counting.py")


class Desk:
    """A study in a folder, a package index and a cache."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index = FolderIndex(folder / "index")
        self.cache = Cache(folder / "cache")
        self.said: list[str] = []

    def study(self, *packages: str, distribution: tuple[str, ...] = ()) -> WrittenStudy:
        """The study with these packages."""
        study = Study(
            study_id="mine",
            title="Mine",
            scenes=[SCENE],
            packages=packages,
            distribution_packages=distribution,
        )
        return WrittenStudy(study, self.folder / "study.py")

    def shelve(self, name: str, version: str = "1.0", **given: object) -> Path:
        """Put a wheel into the index."""
        return make_wheel(self.index.shelf, name, version, **given)  # type: ignore[arg-type]

    def lock(self, written: WrittenStudy, *, upgrade: bool = False) -> list[str]:
        """Lock; returns what is locked."""
        lock = lock_packages(
            written, self.cache, upgrade=upgrade, say=self.said.append, index=self.index
        )
        assert lock == read_lock(lock_file(written.path))
        return [] if lock is None else [wheel.pin for wheel in lock.wheels]

    def prepare(self, written: WrittenStudy, distribution: Path | None = None) -> PreparedPackages:
        """Make ready."""
        return prepare_packages(
            written,
            self.cache,
            distribution=distribution,
            say=self.said.append,
            index=self.index,
        )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An empty one."""
    (tmp_path / "index").mkdir()
    return Desk(tmp_path)


def test_a_study_without_packages_has_no_lock(desk: Desk) -> None:
    """And nothing to serve."""
    assert desk.lock(desk.study()) == []
    assert not lock_file(desk.study().path).exists()
    assert desk.prepare(desk.study()) == PreparedPackages()


def test_the_lock_lies_beside_the_study() -> None:
    """Two studies in one folder have two."""
    assert lock_file(Path("a/study.py")) == Path("a/packages.lock")
    assert lock_file(Path("a/other.py")) == Path("a/other.packages.lock")


def test_what_is_locked_stays(desk: Desk) -> None:
    """A newer version is taken when it is asked for, and not before."""
    desk.shelve("x", "1.0", requires=["y"])
    desk.shelve("y", "1.0")
    assert desk.lock(desk.study("x")) == ["x==1.0", "y==1.0"]
    desk.shelve("x", "2.0")
    text = lock_file(desk.study().path).read_bytes()
    assert desk.lock(desk.study("x")) == ["x==1.0", "y==1.0"]
    assert lock_file(desk.study().path).read_bytes() == text
    assert desk.lock(desk.study("x"), upgrade=True) == ["x==2.0"]


def test_one_more_package_changes_no_other(desk: Desk) -> None:
    """Unless its version must change."""
    desk.shelve("x", "1.0")
    assert desk.lock(desk.study("x")) == ["x==1.0"]
    desk.shelve("x", "2.0")
    desk.shelve("y", "1.0")
    desk.shelve("z", "1.0", requires=["x>=2"])
    assert desk.lock(desk.study("x", "y")) == ["x==1.0", "y==1.0"]
    assert desk.lock(desk.study("x", "y", "z")) == ["x==2.0", "y==1.0", "z==1.0"]


def test_what_cannot_be_had_changes_nothing(desk: Desk) -> None:
    """The lock that was there is still there."""
    desk.shelve("x")
    desk.lock(desk.study("x"))
    before = lock_file(desk.study().path).read_bytes()
    with pytest.raises(PackageError, match="The package index has no 'y'"):
        desk.lock(desk.study("x", "y"))
    assert lock_file(desk.study().path).read_bytes() == before


def test_what_could_not_be_served_is_not_locked(desk: Desk) -> None:
    """Packages that exclude each other are found out at once, and not at the next start."""
    desk.shelve("x", files={"a.py": "1"})
    desk.shelve("y", files={"a.py": "2"})
    with pytest.raises(PackageError, match=r"has a second a\.py"):
        desk.lock(desk.study("x", "y"))
    assert not lock_file(desk.study().path).exists()


def test_pure_wheels_become_one_pack(desk: Desk) -> None:
    """Compiled ones are served as they are, under their own names."""
    desk.shelve("x", requires=["y", "z"])
    desk.shelve("y")
    compiled = desk.shelve("z", tag=WEBASSEMBLY)
    desk.lock(desk.study("x"))
    prepared = desk.prepare(desk.study("x"))
    assert prepared.served.pack is not None
    assert prepared.served.pack.suffix == ".pack"
    files = read_files(prepared.served.pack)
    assert {"x.py", "y.py", "x-1.0.dist-info/METADATA"} <= set(files)
    assert "z.py" not in files
    assert [wheel.name for wheel in prepared.served.wheels] == [compiled.name]
    assert not prepared.pure
    assert desk.index.fetched == []


def test_only_compiled_wheels_make_no_pack(desk: Desk) -> None:
    """There is nothing to put into it."""
    desk.shelve("z", tag=WEBASSEMBLY)
    desk.lock(desk.study("z"))
    prepared = desk.prepare(desk.study("z"))
    assert (prepared.served.pack, prepared.folder) == (None, None)


def test_another_machine_fetches_what_is_locked(desk: Desk) -> None:
    """By its hash, once, and says so."""
    desk.shelve("x")
    desk.lock(desk.study("x"))
    desk.cache = Cache(desk.folder / "another")
    desk.said.clear()
    for _ in range(2):
        assert desk.prepare(desk.study("x")).pure
    assert desk.index.fetched == ["x==1.0"]
    assert desk.said == ["fetching packages: x==1.0"]


def test_another_content_is_not_taken(desk: Desk) -> None:
    """Neither from the index nor by way of what it hands over."""
    desk.shelve("x")
    desk.lock(desk.study("x"))
    desk.cache = Cache(desk.folder / "another")
    desk.shelve("x", files={"x_more.py": "other"})
    with pytest.raises(PackageError, match=r"does not have x==1\.0 any more"):
        desk.prepare(desk.study("x"))
    desk.index.fetch = lambda pins, folder: None  # type: ignore[method-assign]
    with pytest.raises(PackageError, match=r"has another x-1\.0-py3-none-any\.whl than the lock"):
        desk.prepare(desk.study("x"))


def test_another_content_under_the_same_name_is_another_wheel(desk: Desk) -> None:
    """What was locked and made ready before does not take its place."""
    desk.shelve("x")
    desk.lock(desk.study("x"))
    desk.prepare(desk.study("x"))
    desk.shelve("x", files={"x_more.py": "other"})
    desk.lock(desk.study("x"), upgrade=True)
    prepared = desk.prepare(desk.study("x"))
    assert prepared.served.pack is not None
    assert "x_more.py" in read_files(prepared.served.pack)
    assert prepared.folder is not None
    assert (prepared.folder / "x_more.py").is_file()


def test_what_is_locked_already_is_fetched(desk: Desk) -> None:
    """Whoever locks before going offline can start the server then."""
    desk.shelve("x")
    desk.lock(desk.study("x"))
    desk.cache = Cache(desk.folder / "another")
    desk.lock(desk.study("x"))
    assert desk.index.fetched == ["x==1.0"]
    desk.prepare(desk.study("x"))
    assert desk.index.fetched == ["x==1.0"]


@pytest.mark.parametrize(
    ("locked", "named", "words"),
    [
        (None, ("x",), "but there is no"),
        (("x",), ("x", "y"), "was written for other packages"),
        (("x",), ("x>=1",), "was written for other packages"),
    ],
)
def test_a_lock_that_does_not_fit_is_refused(
    locked: tuple[str, ...] | None, named: tuple[str, ...], words: str, desk: Desk
) -> None:
    """With the command that mends it."""
    desk.shelve("x")
    if locked is not None:
        desk.lock(desk.study(*locked))
    with pytest.raises(PackageError) as refused:
        desk.prepare(desk.study(*named))
    assert words in str(refused.value)
    assert str(refused.value).endswith(f"run `grace-server packages {desk.folder}`.")


def test_a_lock_that_cannot_be_read_is_refused(desk: Desk) -> None:
    """With the command too."""
    written = WrittenStudy(desk.study("x").study, desk.folder / "other.py")
    lock_file(written.path).write_text("lock = 7")
    with pytest.raises(
        PackageError, match=r"is no lock .* Run `grace-server packages .*other\.py`"
    ):
        desk.prepare(written)


def test_a_distribution_is_asked_for(desk: Desk) -> None:
    """By the setting that names its folder."""
    with pytest.raises(PackageError, match=r"takes numpy from Pyodide's own distribution: .* the"):
        desk.prepare(desk.study(distribution=("numpy",)))


def test_a_distribution_needs_no_lock(desk: Desk, tmp_path: Path) -> None:
    """It has its own."""
    folder = make_distribution(tmp_path)
    prepared = desk.prepare(desk.study(distribution=("numpy",)), folder)
    assert prepared.served.distribution is not None
    assert prepared.served.distribution.names == ("numpy",)
    assert not prepared.pure


def test_a_distribution_may_lie_in_the_home_folder(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting means the same as a shell does."""
    make_distribution(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    prepared = desk.prepare(desk.study(distribution=("numpy",)), Path("~"))
    assert prepared.served.distribution is not None


def test_packages_may_need_the_distribution(desk: Desk) -> None:
    """What needs NumPy is locked, although no index has a NumPy for browsers."""
    version = served_lock()["packages"]["numpy"]["version"]
    desk.shelve("x", requires=[f"numpy>={version}"])
    assert desk.lock(desk.study("x", distribution=("numpy",))) == ["x==1.0"]
    with pytest.raises(PackageError, match="was written for other distribution_packages"):
        desk.prepare(desk.study("x"))


def test_packages_can_be_imported_here(desk: Desk) -> None:
    """From a folder in the cache, already compiled, under the paths that they have there."""
    desk.shelve("x", files={"x_more/__init__.py": "", "x_more/tests/test_x.py": ""})
    desk.lock(desk.study("x"))
    folder = desk.prepare(desk.study("x")).folder
    assert folder is not None
    assert list((folder / "__pycache__").iterdir())
    assert not (folder / "x_more" / "tests" / "__pycache__").exists()
    code = f"import sys; sys.path.append({str(folder)!r}); import x; print(x.__file__)"
    ended = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, check=True)
    assert ended.stdout.decode().strip() == str(folder / "x.py")


@pytest.mark.parametrize("requires_python", [">=99", "nonsense"])
def test_packages_for_another_python_are_not_imported_here(
    requires_python: str, desk: Desk
) -> None:
    """The browser's Python has them; this one would fail with an error that nobody there sees."""
    desk.shelve("x", requires_python=requires_python, requires=["y"])
    desk.shelve("y")
    desk.lock(desk.study("x"))
    prepared = desk.prepare(desk.study("x"))
    assert prepared.served.pack is not None
    assert prepared.folder is None


def test_an_environment_is_checked_with_its_packages(desk: Desk) -> None:
    """It is really played here, and not only said to be unchecked."""
    desk.shelve("x", files={"x_rules.py": "step = 1\n"})
    desk.lock(desk.study("x"))
    source = "import x_rules\n" + COUNTING.read_text()
    environment = EnvironmentSource(desk.folder / "counting.py", source)
    without = check_environment(environment, SCENE)
    assert without is not None
    assert "'x_rules' is not installed here" in without
    folder = desk.prepare(desk.study("x")).folder
    assert check_environment(environment, SCENE, packages=folder) is None


def test_the_real_index_is_the_default(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for the Python of the Pyodide that is served."""
    targets = []

    def index(target: object) -> FolderIndex:
        targets.append(target)
        return desk.index

    monkeypatch.setattr(packages_module, "Index", index)
    desk.shelve("x")
    lock_packages(desk.study("x"), desk.cache)
    prepare_packages(desk.study("x"), desk.cache)
    assert [target.version for target in targets] == ["3.14", "3.14"]  # type: ignore[attr-defined]
