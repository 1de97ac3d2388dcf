"""Which wheels a study gets. The package index is a folder here."""

from pathlib import Path

import pytest

from app.errors import PackageError
from app.python.index import Index
from app.python.lock import STUDY, LockedPackage
from app.python.resolve import Wanted, resolve
from unit.fakes.wheels import (
    LINUX,
    TARGET,
    WEBASSEMBLY,
    FolderIndex,
    make_wheel,
    sha256,
    use_folder_as_index,
)

HERE_ONLY = "sys_platform != 'emscripten'"
BROWSER_ONLY = "sys_platform == 'emscripten'"


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder that is the package index."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    return folder


def resolved(tmp_path: Path, *packages: str, pins: tuple[str, ...] = (), **supplied: str) -> str:
    """What is chosen, as `name==version<-who,who` with spaces between."""
    folder = tmp_path / "got"
    folder.mkdir(exist_ok=True)
    wheels = resolve(Wanted(packages, supplied, pins), FolderIndex(tmp_path / "shelf"), folder)
    return " ".join(f"{wheel.pin}<-{','.join(wheel.requested_by)}" for wheel in wheels)


def test_each_wheel_is_locked_with_its_hash(shelf: Path, tmp_path: Path) -> None:
    """And its size, and who has asked for it."""
    wheel = make_wheel(shelf, "x")
    (tmp_path / "got").mkdir()
    assert resolve(Wanted(("x",), {}), FolderIndex(shelf), tmp_path / "got") == [
        LockedPackage(wheel.name, sha256(wheel), wheel.stat().st_size, (STUDY,))
    ]


def test_what_is_needed_comes_along(shelf: Path, tmp_path: Path) -> None:
    """Also by way of an extra, in a circle, and by several."""
    make_wheel(shelf, "x", requires=["y[more]", "w; extra == 'other'"])
    make_wheel(shelf, "y", requires=["x", "z; extra == 'more'"])
    make_wheel(shelf, "z", tag=WEBASSEMBLY)
    make_wheel(shelf, "w")
    assert resolved(tmp_path, "x") == "x==1.0<-the study,y y==1.0<-x z==1.0<-y"


def test_what_only_this_machine_needs_is_left_out(shelf: Path, tmp_path: Path) -> None:
    """Although pip evaluates markers for where it runs."""
    make_wheel(shelf, "x", requires=[f"y; {HERE_ONLY}"])
    make_wheel(shelf, "y")
    assert resolved(tmp_path, "x") == "x==1.0<-the study"


def test_what_only_the_browser_needs_is_found(shelf: Path, tmp_path: Path) -> None:
    """However far down, and in the version that is needed there."""
    make_wheel(shelf, "x", requires=[f"y<2; {BROWSER_ONLY}"])
    make_wheel(shelf, "y", "1.0", requires=["z; python_version >= '3.14'"])
    make_wheel(shelf, "y", "2.0")
    make_wheel(shelf, "z")
    assert resolved(tmp_path, "x") == "x==1.0<-the study y==1.0<-x z==1.0<-y"


def test_a_version_that_is_another_one_here_is_refused(shelf: Path, tmp_path: Path) -> None:
    """Rather than given in the wrong version."""
    make_wheel(shelf, "x", requires=[f"y<2; {HERE_ONLY}", f"y>=2; {BROWSER_ONLY}"])
    make_wheel(shelf, "y", "1.0")
    make_wheel(shelf, "y", "2.0")
    with pytest.raises(PackageError, match="In a browser x needs 'y>=2', and on this machine"):
        resolved(tmp_path, "x")


def test_what_the_distribution_brings_is_taken_as_there(shelf: Path, tmp_path: Path) -> None:
    """In its version, although the index has it not, and it is not locked."""
    make_wheel(shelf, "x", "1.0", requires=["numpy>=1"])
    assert resolved(tmp_path, "x", numpy="2.4.6") == "x==1.0<-the study"


def test_versions_are_kept(shelf: Path, tmp_path: Path) -> None:
    """Those of an earlier lock, of packages that are still needed."""
    make_wheel(shelf, "x", "1.0")
    make_wheel(shelf, "x", "2.0")
    assert resolved(tmp_path, "x", pins=("x==1.0", "y==1.0")) == "x==1.0<-the study"


@pytest.mark.parametrize(
    ("tag", "why"),
    [
        (LINUX, "it has only wheels that are compiled for other machines, and none of pure"),
        (None, "it has only source code, or wheels for another Python, and none of pure"),
    ],
)
def test_what_cannot_run_in_a_browser_is_refused(
    tag: str | None, why: str, shelf: Path, tmp_path: Path
) -> None:
    """With the reason, who needs it, and what to do."""
    make_wheel(shelf, "x", requires=["y>=1"])
    if tag is None:
        (shelf / "y-1.0.tar.gz").touch()
    else:
        make_wheel(shelf, "y", tag=tag)
    with pytest.raises(PackageError) as refused:
        resolved(tmp_path, "x")
    sentence = str(refused.value)
    assert sentence.startswith(f"'y>=1', which 'x' needs, cannot run in a browser: {why}")
    assert "Use another package that is pure Python" in sentence
    assert "distribution_packages" in sentence
    assert "pyodide_distribution" in sentence


@pytest.mark.parametrize("requirement", ["y", "x>=2"])
def test_what_nobody_has_is_refused(requirement: str, shelf: Path, tmp_path: Path) -> None:
    """A misspelt name, or a version that there never was."""
    make_wheel(shelf, "x")
    with pytest.raises(PackageError, match=f"The package index has no '{requirement}': look"):
        resolved(tmp_path, requirement)


def test_what_fits_not_everybody_is_refused(shelf: Path, tmp_path: Path) -> None:
    """There are versions for a browser, but what is there already rules them out."""
    make_wheel(shelf, "numpy", "3.0")
    make_wheel(shelf, "x", requires=["numpy>=3"])
    with pytest.raises(PackageError, match="No version of 'numpy' fits all who need it"):
        resolved(tmp_path, "x", numpy="2.4.6")


def test_a_package_from_an_address_is_refused(shelf: Path, tmp_path: Path) -> None:
    """What an address gives tomorrow, nobody knows."""
    address = make_wheel(tmp_path / "elsewhere", "y").as_uri()
    make_wheel(shelf, "x", requires=[f"y @ {address}"])
    with pytest.raises(PackageError, match="x needs 'y' from an address: only an index will do"):
        resolved(tmp_path, "x")


def test_a_search_without_an_end_is_ended(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each round finds one more that only the browser needs."""
    monkeypatch.setattr("app.python.resolve.MOST_ROUNDS", 2)
    for number in range(4):
        make_wheel(shelf, f"x{number}", requires=[f"x{number + 1}; {BROWSER_ONLY}"])
    with pytest.raises(PackageError, match="need ever more others: name what they need"):
        resolved(tmp_path, "x0")


def test_spellings_and_early_versions_are_those_of_pip(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name in any spelling is one package, and an early version counts where there is no other.

    The index is a real pip here.
    """
    use_folder_as_index(shelf, monkeypatch)
    make_wheel(shelf, "Some_Thing", "1.0rc1", requires=["python-dateutil>=2"])
    (tmp_path / "got").mkdir()
    wanted = Wanted(("Some.Thing",), {"python-dateutil": "2.9"})
    (wheel,) = resolve(wanted, Index(TARGET), tmp_path / "got")
    assert wheel.pin == "some-thing==1.0rc1"
