"""Packages of Pyodide's own distribution, from a folder that an operator has unpacked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.errors import GraceError, PackageError
from app.python.distribution import (
    PYODIDE_LOCK,
    read_distribution,
    supplied_versions,
    with_dependencies,
)
from app.services.packages import served_lock
from unit.fakes.distributions import make_distribution


def test_what_a_package_needs_comes_along(tmp_path: Path) -> None:
    """Its wheels and shared libraries, a lock that is reduced to them, and nothing else."""
    folder = make_distribution(tmp_path)
    distribution = read_distribution(folder, ["NumPy"], served_lock())
    assert distribution.names == ("numpy",)
    assert sorted(distribution.files) == ["libx-1.0.zip", "numpy-2.4.6-x.whl", PYODIDE_LOCK]
    assert distribution.files["numpy-2.4.6-x.whl"] == folder / "numpy-2.4.6-x.whl"
    lock = json.loads(bytes(distribution.files[PYODIDE_LOCK]))
    assert lock["info"] == served_lock()["info"]
    assert sorted(lock["packages"]) == ["libx", "numpy"]


def test_the_lock_is_the_same_each_time(tmp_path: Path) -> None:
    """Its address is made of its content."""
    folder = make_distribution(tmp_path)
    first, second = (read_distribution(folder, ["numpy"], served_lock()) for _ in range(2))
    assert first.files[PYODIDE_LOCK] == second.files[PYODIDE_LOCK]


def test_a_package_that_is_not_in_it_is_named(tmp_path: Path) -> None:
    """Whether the study names it or another package does."""
    folder = make_distribution(tmp_path)
    with pytest.raises(PackageError, match="Pyodide's distribution has no package 'pygame'"):
        read_distribution(folder, ["pygame"], served_lock())


def test_a_circle_ends() -> None:
    """Two packages that need each other are two packages."""
    lock = {"packages": {"a": {"depends": ["B"]}, "b": {"depends": ["a"]}}}
    assert list(with_dependencies(lock, ["a"])) == ["a", "b"]


def test_what_comes_along_is_known_without_the_distribution() -> None:
    """The lock of the Pyodide that is served names the versions of all Python packages."""
    versions = supplied_versions(served_lock(), ["scipy"])
    assert set(versions) >= {"scipy", "numpy"}
    assert "libopenblas" not in versions


def other_info(lock: dict[str, Any]) -> None:
    """Of another Python."""
    lock["info"] = lock["info"] | {"python": "3.13.1"}


def other_version(lock: dict[str, Any]) -> None:
    """With another NumPy."""
    lock["packages"]["numpy"]["version"] = "1.0"


@pytest.mark.parametrize("change", [other_info, other_version])
def test_another_pyodide_is_refused(
    change: Callable[[dict[str, Any]], None], tmp_path: Path
) -> None:
    """Its compiled packages would crash, or not be those that the lock was written for."""
    folder = make_distribution(tmp_path, change)
    with pytest.raises(PackageError, match=r"is the distribution of another Pyodide .* ABI 2026_0"):
        read_distribution(folder, ["numpy"], served_lock())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The core release has no packages, only the full one."""
    folder = make_distribution(tmp_path)
    (folder / "libx-1.0.zip").unlink()
    with pytest.raises(PackageError, match=r"libx-1\.0\.zip cannot be read .* unpack the full"):
        read_distribution(folder, ["numpy"], served_lock())


def test_a_changed_file_is_named(tmp_path: Path) -> None:
    """Only what has the hash of the lock is served."""
    folder = make_distribution(tmp_path)
    (folder / "numpy-2.4.6-x.whl").write_bytes(b"other")
    with pytest.raises(PackageError, match=r"numpy-2\.4\.6-x\.whl is not what its lock says"):
        read_distribution(folder, ["numpy"], served_lock())


@pytest.mark.parametrize("filename", ["../x.whl", "https://example.org/x.whl", "a\\x.whl"])
def test_a_file_that_lies_elsewhere_is_refused(filename: str, tmp_path: Path) -> None:
    """Nothing is served from outside the folder."""

    def elsewhere(lock: dict[str, Any]) -> None:
        lock["packages"]["numpy"]["file_name"] = filename

    folder = make_distribution(tmp_path, elsewhere)
    with pytest.raises(PackageError, match="the file of 'numpy' is"):
        read_distribution(folder, ["numpy"], served_lock())


def test_a_folder_without_a_lock_is_refused(tmp_path: Path) -> None:
    """It is no distribution."""
    with pytest.raises(GraceError, match=r"pyodide-lock\.json cannot be read"):
        read_distribution(tmp_path, ["numpy"], served_lock())
