"""A study's Python packages: locked once, fetched by their hashes, made ready to be served."""

import compileall
import hashlib
import platform
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from app.errors import PackageError
from app.python.cache import Cache
from app.python.distribution import PYODIDE_LOCK, read_distribution, supplied_versions
from app.python.index import Index
from app.python.lock import LOCK_NAME, LockedPackage, PackageLock, lock_text, read_lock
from app.python.pack import write_files
from app.python.parts import StudyPackages
from app.python.resolve import Wanted, resolve
from app.python.target import Target, read_pyodide_lock, target_of
from app.python.wheels import installed_files, wheel_metadata
from app.services.delivery import PYODIDE_FOLDER
from app.services.static_files import static_folder
from app.services.study_files import STUDY_FILE_NAME, WrittenStudy

Say = Callable[[str], None]

_PACK = "packages.pack"
_DIGEST_LENGTH = 20


@dataclass(frozen=True, slots=True)
class PreparedPackages:
    """What a study's packages are, on this machine.

    Attributes:
        served: what the page gets.
        folder: the pure packages as a folder that Python can import from, so that the environments
            can be checked here; None where there are none, or where one needs another Python.
    """

    served: StudyPackages = field(default_factory=StudyPackages)
    folder: Path | None = None

    @property
    def pure(self) -> bool:
        """Whether a memory snapshot can hold all of them: compiled ones are loaded after it."""
        return not self.served.wheels and self.served.distribution is None


def lock_file(study_file: Path) -> Path:
    """Where the lock of a study lies: beside it, and under its name when that is not `study.py`."""
    if study_file.name == STUDY_FILE_NAME:
        return study_file.with_name(LOCK_NAME)
    return study_file.with_name(f"{study_file.stem}.{LOCK_NAME}")


def lock_packages(
    written: WrittenStudy,
    cache: Cache,
    *,
    upgrade: bool = False,
    say: Say = lambda sentence: None,
    index: Index | None = None,
) -> PackageLock | None:
    """Write the lock of a study's packages, and put their wheels into the cache.

    A lock that fits is kept, and so are the versions of one that does not, where they still can be.

    Args:
        written: the study.
        cache: where the wheels are kept.
        upgrade: choose versions anew.
        say: is told, in sentences, what is done.
        index: the package index.

    Returns:
        The lock, or None for a study without packages.

    Raises:
        PackageError: a package cannot be had; the message says what to do.
        OSError: the lock or the cache cannot be written.
    """
    pyodide = served_lock()
    index = index or Index(target_of(pyodide))
    study, file = written.study, lock_file(written.path)
    packages, distributed = tuple(study.packages), tuple(study.distribution_packages)
    supplied = supplied_versions(pyodide, distributed)
    if not packages:
        return None
    before = None if upgrade else read_lock(file)
    if before is not None and before.misfit(packages, distributed, index.target) is None:
        _wheels_in_cache(before.wheels, cache, index, say)
        return before
    say("asking the package index")
    with tempfile.TemporaryDirectory(prefix="grace-packages-") as scratch:
        pins = () if before is None else tuple(wheel.pin for wheel in before.wheels)
        try:
            folder = _made(Path(scratch, "kept"))
            wheels = resolve(Wanted(packages, supplied, pins), index, folder)
        except PackageError:
            if not pins:
                raise
            folder = _made(Path(scratch, "anew"))
            wheels = resolve(Wanted(packages, supplied), index, folder)
        lock = PackageLock(
            python=index.target.version,
            abi=index.target.abi,
            packages=tuple(sorted(packages)),
            distribution_packages=tuple(sorted(distributed)),
            wheels=tuple(wheels),
        )
        kept = [_keep(wheel, cache, folder.rglob(wheel.file)) for wheel in wheels]
        # A wheel that could not be served must not be found out at the next start.
        _pack_of([path for path, wheel in zip(kept, wheels, strict=True) if wheel.pure], cache)
    file.write_text(lock_text(lock), encoding="utf-8")
    return lock


def prepare_packages(
    written: WrittenStudy,
    cache: Cache,
    *,
    distribution: Path | None = None,
    say: Say = lambda sentence: None,
    index: Index | None = None,
) -> PreparedPackages:
    """Make a study's packages ready; what is not in the cache is fetched by its hash.

    Args:
        written: the study.
        cache: where the wheels are kept, and what is made of them.
        distribution: a folder with Pyodide's own distribution.
        say: is told, in a sentence, what takes time.
        index: the package index.

    Raises:
        PackageError: the lock is missing or does not fit, a wheel cannot be had, or the
            distribution is missing or is another one; the message says what to do.
        OSError: the cache cannot be written.
    """
    study = written.study
    pyodide = served_lock()
    served_distribution = None
    if study.distribution_packages:
        if distribution is None:
            raise PackageError(
                f"Study {study.study_id!r} takes {', '.join(study.distribution_packages)} from"
                " Pyodide's own distribution: download the release of the Pyodide that is served,"
                " unpack it, and name its folder with the setting pyodide_distribution."
            )
        served_distribution = read_distribution(
            distribution.expanduser(), study.distribution_packages, pyodide
        )
    if not study.packages:
        return PreparedPackages(StudyPackages(distribution=served_distribution))
    index = index or Index(target_of(pyodide))
    lock = _fitting_lock(written, index.target)
    paths = _wheels_in_cache(lock.wheels, cache, index, say)
    pure = [path for path, wheel in zip(paths, lock.wheels, strict=True) if wheel.pure]
    served = StudyPackages(
        pack=_pack_of(pure, cache),
        wheels=tuple(path for path in paths if path not in pure),
        distribution=served_distribution,
    )
    return PreparedPackages(served, _folder_of(pure, cache))


def served_lock() -> dict[str, Any]:
    """The lock of the Pyodide that is served.

    Raises:
        GraceError: it is missing.
    """
    return read_pyodide_lock(static_folder() / PYODIDE_FOLDER / PYODIDE_LOCK)


def _fitting_lock(written: WrittenStudy, target: Target) -> PackageLock:
    file, study = lock_file(written.path), written.study
    plain = written.path.name == STUDY_FILE_NAME
    command = f"grace-server packages {written.path.parent if plain else written.path}"
    try:
        lock = read_lock(file)
    except PackageError as error:
        raise PackageError(f"{error} Run `{command}`.") from error
    if lock is None:
        raise PackageError(
            f"Study {study.study_id!r} names packages, but there is no {file}: run `{command}`."
        )
    misfit = lock.misfit(tuple(study.packages), tuple(study.distribution_packages), target)
    if misfit is not None:
        raise PackageError(f"{file} {misfit}: run `{command}`.")
    return lock


def _wheels_in_cache(
    wheels: Sequence[LockedPackage], cache: Cache, index: Index, say: Say
) -> list[Path]:
    missing = [wheel for wheel in wheels if not (cache.folder / _key(wheel)).is_dir()]
    with tempfile.TemporaryDirectory(prefix="grace-packages-") as scratch:
        folder = Path(scratch)
        if missing:
            say(f"fetching packages: {', '.join(wheel.pin for wheel in missing)}")
            index.fetch({wheel.pin: wheel.sha256 for wheel in missing}, folder)
        return [_keep(wheel, cache, [folder / wheel.file]) for wheel in wheels]


def _keep(wheel: LockedPackage, cache: Cache, candidates: Iterable[Path]) -> Path:
    """Where a wheel lies in the cache; one of `candidates` is put there when it is not in it."""

    def make(folder: Path) -> None:
        for candidate in candidates:
            content = candidate.read_bytes() if candidate.is_file() else b""
            if hashlib.sha256(content).hexdigest() == wheel.sha256:
                (folder / wheel.file).write_bytes(content)
                return
        raise PackageError(f"The package index has another {wheel.file} than the lock.")

    return cache.entry(_key(wheel), make) / wheel.file


def _key(wheel: LockedPackage) -> str:
    return f"wheel-{hashlib.sha256(f'{wheel.file} {wheel.sha256}'.encode()).hexdigest()}"


def _pack_of(wheels: Sequence[Path], cache: Cache) -> Path | None:
    if not wheels:
        return None
    key = f"packages1-{_digest(wheels)}"
    made = cache.entry(key, lambda folder: write_files(folder / _PACK, installed_files(wheels)))
    return made / _PACK


def _folder_of(wheels: Sequence[Path], cache: Cache) -> Path | None:
    """The wheels, unpacked and compiled for this Python, unless one of them is for another."""
    if not wheels or not all(_runs_here(wheel) for wheel in wheels):
        return None
    key = f"site1-{sys.implementation.cache_tag}-{_digest(wheels)}"

    def make(folder: Path) -> None:
        for name, content in installed_files(wheels).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        compileall.compile_dir(
            folder,
            quiet=2,
            # Nobody imports these.
            rx=re.compile(r"[\\/]tests?[\\/]"),
            stripdir=str(folder),
            prependdir=str(cache.folder / key),
        )

    return cache.entry(key, make)


def _runs_here(wheel: Path) -> bool:
    try:
        versions = SpecifierSet(wheel_metadata(wheel).requires_python)
    except InvalidSpecifier:
        return False
    return versions.contains(platform.python_version(), prereleases=True)


def _digest(wheels: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for wheel in wheels:
        digest.update(hashlib.sha256(wheel.read_bytes()).digest())
    return digest.hexdigest()[:_DIGEST_LENGTH]


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
