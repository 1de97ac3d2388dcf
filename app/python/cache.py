"""A folder of things that took long to make, each under the key of what it was made of.

An entry is a folder that appears whole or not at all, and is never changed. Several servers may use
one cache, and start at once. Locks are flock(2)'s: they end with the process that holds them,
however it ends. On a file system without them the worst is that something is made twice, and that
nothing old is removed.
"""

import atexit
import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import GraceError

UNUSED_DAYS = 30
"""Days after which an entry that no server has used is removed."""

MOST_PRUNED = 50
"""Entries that one start removes at most, so that it begins in time."""

_KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,120}")
_IN_USE = ".in-use"
"""A file in each entry: locked while a server uses it, its time that of the last use."""
_MAKING = ".making-"
_DAY_S = 86_400.0


class Cache:
    """The entries of one folder.

    Args:
        folder: where they lie; it is made when it is missing.

    Raises:
        OSError: the folder cannot be made or written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._held: dict[str, int] = {}
        self.folder.mkdir(parents=True, exist_ok=True)
        # An entry that is there is no proof that another one can be made.
        with tempfile.TemporaryFile(dir=self.folder, prefix=_MAKING):
            pass

    def entry(self, key: str, make: Callable[[Path], None]) -> Path:
        """The folder of an entry, made now unless it is there; nobody removes it until `close()`.

        Args:
            key: names all that decides about the content.
            make: fills the empty folder that it is given. What it raises is raised here, and leaves
                nothing behind.

        Raises:
            OSError: the entry cannot be written.
            ValueError: the key is no simple file name.
        """
        if _KEY.fullmatch(key) is None:
            raise ValueError(f"{key!r} is not a key of the cache")
        entry = self.folder / key
        if self._use(key):
            return entry
        with self._alone(key):
            # Another server may have made it while this one waited.
            if not self._use(key):
                self._make(entry, make)
                self._use(key)
        return entry

    def prune(self) -> int:
        """Remove some of what nobody has used for UNUSED_DAYS; returns how many entries that were.

        Only what this class made is touched, and nothing that a living process uses.
        """
        removed = 0
        with contextlib.suppress(OSError):
            now = self._now()
            for path in sorted(self.folder.iterdir()):
                if removed == MOST_PRUNED:
                    break
                if path.name.startswith(_MAKING):
                    removed += _remove_remains(path, now)
                elif _KEY.fullmatch(path.name) and path.name not in self._held:
                    removed += self._remove_unused(path, now)
        return removed

    def close(self) -> None:
        """Let go of all entries; they may be removed by others from now on."""
        while self._held:
            os.close(self._held.popitem()[1])

    def _use(self, key: str) -> bool:
        """Note the use of an entry, and hold it; False when there is none."""
        marker = self.folder / key / _IN_USE
        held = self._held.get(key)
        if held is not None:
            if _is_at(held, marker):
                return True
            # Somebody has removed it, whoever used it.
            os.close(self._held.pop(key))
        try:
            file = os.open(marker, os.O_RDONLY)
        except FileNotFoundError:
            return False
        with contextlib.suppress(OSError):
            # Whoever removes it has locked it, for no longer than it takes to rename it.
            fcntl.flock(file, fcntl.LOCK_SH)
        # It may have been removed just before it was locked, and another put in its place.
        if not _is_at(file, marker):
            os.close(file)
            return False
        self._held[key] = file
        with contextlib.suppress(OSError):
            os.utime(marker)
        return True

    @contextmanager
    def _alone(self, key: str) -> Iterator[None]:
        """Wait until nobody else makes this entry."""
        path = self.folder / f"{_MAKING}{key}.lock"
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            with contextlib.suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            with contextlib.suppress(OSError):
                path.unlink()
            os.close(file)

    def _make(self, entry: Path, make: Callable[[Path], None]) -> None:
        making = Path(tempfile.mkdtemp(dir=self.folder, prefix=_MAKING))
        try:
            making.chmod(0o755)
            make(making)
            (making / _IN_USE).touch()
            _write_through(making)
            try:
                making.rename(entry)
            except OSError:
                # Made by somebody else, where locks do not work; or what is there is no entry.
                if not (entry / _IN_USE).is_file():
                    raise
        finally:
            shutil.rmtree(making, ignore_errors=True)

    def _remove_unused(self, entry: Path, now: float) -> bool:
        marker = entry / _IN_USE
        try:
            if now - marker.stat().st_mtime < UNUSED_DAYS * _DAY_S:
                return False
            file = os.open(marker, os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if now - os.fstat(file).st_mtime < UNUSED_DAYS * _DAY_S or not _is_at(file, marker):
                return False
            gone = Path(tempfile.mkdtemp(dir=self.folder, prefix=_MAKING)) / "gone"
            entry.rename(gone)
        except OSError:
            return False
        finally:
            os.close(file)
        shutil.rmtree(gone.parent, ignore_errors=True)
        return True

    def _now(self) -> float:
        """The present as the file system tells it, whose times it is compared with."""
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix=_MAKING) as file:
            return os.fstat(file.fileno()).st_mtime


def open_cache(folder: Path, say: Callable[[str], None]) -> Cache:
    """The cache in `folder`, or one that lasts as long as this process where that cannot be.

    Args:
        folder: where it should lie; `~` is the home folder.
        say: is told in one sentence when it lies elsewhere.

    Raises:
        GraceError: nothing can be written anywhere.
    """
    try:
        return Cache(folder.expanduser())
    except (OSError, RuntimeError) as error:
        # RuntimeError: there is no home folder.
        reason = getattr(error, "strerror", None) or str(error)
        say(f"the cache {folder} cannot be used ({reason}): what is made for it is made again.")
    return temporary_cache()


def temporary_cache() -> Cache:
    """A cache that is removed when this process ends.

    Raises:
        GraceError: nothing can be written.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="grace-server-"))
    except OSError as error:
        raise GraceError(f"No temporary folder can be made: {error}.") from error
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Cache(folder)


def _write_through(folder: Path) -> None:
    """Have the disk hold the files before their name, should the machine stop in between."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except OSError:
        return False


def _remove_remains(path: Path, now: float) -> bool:
    """Remove what a maker left that was killed: nothing takes a day to make."""
    try:
        if now - path.lstat().st_mtime < _DAY_S:
            return False
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
    except OSError:
        return False
    return True
