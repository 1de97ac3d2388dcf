"""The lock of a study's packages: what it says, and what it refuses."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import PackageError
from app.python.lock import STUDY, LockedPackage, PackageLock, lock_text, read_lock
from unit.fakes.wheels import TARGET, WEBASSEMBLY

LOCK = PackageLock(
    python="3.14",
    abi="2026_0",
    packages=("x[a]>=1", "z"),
    distribution_packages=("numpy",),
    wheels=(
        LockedPackage("x_y-1.0-py3-none-any.whl", "a" * 64, 1234, (STUDY,)),
        LockedPackage(f"z-2.0-{WEBASSEMBLY}.whl", "b" * 64, 5, (STUDY, "x-y")),
    ),
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """All of it."""
    (tmp_path / "packages.lock").write_text(lock_text(LOCK))
    assert read_lock(tmp_path / "packages.lock") == LOCK


def test_a_lock_may_have_no_wheel(tmp_path: Path) -> None:
    """Everything that the study names may come from Pyodide's own distribution."""
    lock = replace(LOCK, wheels=())
    (tmp_path / "packages.lock").write_text(lock_text(lock))
    assert read_lock(tmp_path / "packages.lock") == lock


def test_it_can_be_read_by_people() -> None:
    """One line for each fact, so that a change shows; no addresses and no paths."""
    text = lock_text(LOCK)
    assert 'packages = ["x[a]>=1", "z"]\n' in text
    assert (
        '[[wheel]]\nname = "x-y"\nversion = "1.0"\nfile = "x_y-1.0-py3-none-any.whl"\n'
        f'sha256 = "{"a" * 64}"\nsize = 1234\nrequested_by = ["the study"]\n' in text
    )
    assert "/" not in text


def test_a_wheel_says_what_it_is() -> None:
    """By its file name."""
    pure, compiled = LOCK.wheels
    assert (pure.name, pure.version, pure.pin, pure.pure) == ("x-y", "1.0", "x-y==1.0", True)
    assert not compiled.pure


def test_no_lock_is_none(tmp_path: Path) -> None:
    """Nothing was locked yet."""
    assert read_lock(tmp_path / "packages.lock") is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lock = 1", "lock = 2"),
        ("lock = 1", "lock ="),
        ('python = "3.14"', "python = 3.14"),
        ('abi = "2026_0"\n', ""),
        ('packages = ["x[a]>=1", "z"]', 'packages = "x"'),
        ('["the study"]', "[1]"),
        ("a" * 64, "a" * 63),
        ("a" * 64, "a" * 65),
        ('name = "x-y"', 'name = "x-z"'),
        ('version = "1.0"', 'version = "1.1"'),
        ("x_y-1.0-py3-none-any.whl", "../x_y-1.0-py3-none-any.whl"),
        ("size = 1234", 'size = "much"'),
        ("[[wheel]]", "[wheel]"),
        ("Written", "\udcff"),
    ],
)
def test_what_is_no_lock_is_refused(old: str, new: str, tmp_path: Path) -> None:
    """In one sentence, which names the file."""
    text = lock_text(LOCK)
    assert old in text
    file = tmp_path / "packages.lock"
    file.write_text(text.replace(old, new), encoding="utf-8", errors="surrogateescape")
    with pytest.raises(PackageError, match=r"packages\.lock is no lock.* Write it anew\."):
        read_lock(file)


def test_a_lock_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """With the reason."""
    (tmp_path / "packages.lock").mkdir()
    with pytest.raises(PackageError, match=r"packages\.lock cannot be read: Is a directory"):
        read_lock(tmp_path / "packages.lock")


def test_a_lock_fits_what_it_was_written_for() -> None:
    """In whatever order the study names it."""
    lock = replace(LOCK, distribution_packages=("numpy", "scipy"))
    assert lock.misfit(("z", "x[a]>=1"), ("scipy", "numpy"), TARGET) is None


@pytest.mark.parametrize(
    ("lock", "words"),
    [
        (replace(LOCK, packages=("z",)), "for other packages"),
        (replace(LOCK, distribution_packages=()), "for other distribution_packages"),
        (replace(LOCK, abi="2025_0"), "for Python 3.14 (2025_0)"),
        (replace(LOCK, python="3.13"), "for Python 3.13"),
    ],
)
def test_a_lock_that_does_not_fit_says_why(lock: PackageLock, words: str) -> None:
    """The study or the Pyodide has changed since."""
    assert words in (lock.misfit(LOCK.packages, LOCK.distribution_packages, TARGET) or "")
