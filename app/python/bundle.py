"""Files that are served under one address, which is made of their content.

A browser may keep such a file for ever: another content has another address. Each file lies in the
cache as it is and, where that is smaller, compressed, so that no request compresses anything.
"""

import functools
import gzip
import hashlib
import io
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import brotli

from app.errors import GraceError
from app.python.cache import Cache

Content = Path | bytes
"""A file's content, or the file that has it."""

AtOnce = Callable[[Callable[[Any], None], Iterable[Any]], Iterable[None]]
"""`map`, for work that can be done at the same time."""

DIGEST_LENGTH = 20
"""Hexadecimal digits of an address: 80 bits."""

LEAST_SAVED = 0.05
"""Part of a file that compression has to save to be worth it."""

LONG_BYTES = 5_000_000
"""Bytes that take so long to compress that an operator would wonder: about two seconds."""

_FORMAT = "bundle1"
"""Names how an entry is made, so that one made otherwise is not taken for it."""

_SQUEEZED = frozenset({".gif", ".jpg", ".jpeg", ".png", ".webp", ".woff2", ".mp3", ".ogg", ".gz"})
"""Suffixes of what is compressed already."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A set of files with one address.

    Attributes:
        digest: of the names and the contents of all files.
        paths: where each file lies, by its name; a compressed form lies beside it with the suffix
            `.br` or `.gz`.
        sizes: bytes of each file, not compressed, by its name.
    """

    digest: str
    paths: Mapping[str, Path]
    sizes: Mapping[str, int]

    @property
    def address(self) -> str:
        """The path of the address that all files are under, with a slash at its end."""
        return f"/static/{self.digest}/"

    def url(self, name: str) -> str:
        """The address of one file.

        Raises:
            KeyError: it is not in the bundle.
        """
        if name not in self.paths:
            raise KeyError(name)
        return self.address + name


def make_bundle(
    files: Mapping[str, Content],
    cache: Cache,
    *,
    at_once: AtOnce | None = None,
    say: Callable[[str], None] = lambda sentence: None,
) -> Bundle:
    """A bundle in the cache, compressed now unless that was done before.

    Args:
        files: contents by name; a name may have folders in it.
        cache: where the bundle lies.
        at_once: by default one file is compressed after the other.
        say: is told in a sentence before something that takes seconds.

    Raises:
        OSError: the entry cannot be written.
        GraceError: a file cannot be read, or was changed meanwhile.
        ValueError: a name is not one that can have an address.
    """
    digest = digest_of(files)

    def make(folder: Path) -> None:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                shutil.copyfile(content, path)
        copies: dict[str, Content] = {name: folder / name for name in files}
        if digest_of(copies) != digest:
            raise GraceError("A file was changed while it was read: start again.")
        total = sum((folder / name).stat().st_size for name in files)
        if total > LONG_BYTES:
            say(f"compressing {total / 1e6:.0f} MB of files, once; this takes some seconds.")
        # The largest ones first: they take longest.
        names = sorted(files, key=lambda name: -(folder / name).stat().st_size)
        work = [(folder / name, coding) for name in names for coding in (_brotli, _gzip)]
        for _ in (at_once or map)(lambda one: one[1](one[0]), work):
            pass

    folder = cache.entry(f"{_FORMAT}-{digest}", make)
    return _bundle(digest, {name: folder / name for name in files})


def plain_bundle(files: Mapping[str, Content], scratch: Callable[[], Cache]) -> Bundle:
    """A bundle of files that stay where they are, not compressed.

    Args:
        files: contents by name.
        scratch: called for a cache to put contents in that are in no file.
    """
    digest = digest_of(files)
    contents = {name: one for name, one in files.items() if isinstance(one, bytes)}
    paths = {name: one for name, one in files.items() if isinstance(one, Path)}
    if contents:

        def make(folder: Path) -> None:
            for name, content in contents.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)

        folder = scratch().entry(f"plain-{digest}", make)
        paths |= {name: folder / name for name in contents}
    return _bundle(digest, paths)


def digest_of(files: Mapping[str, Content]) -> str:
    """The digest of a set of files: of their names and their contents.

    Raises:
        GraceError: a file cannot be read.
        ValueError: a name is not one that can have an address.
    """
    for name in files:
        _check_name(name)
        if not files.keys().isdisjoint((f"{name}.br", f"{name}.gz")):
            raise ValueError(f"{name!r} cannot lie beside a compressed form of it")
    named = sorted((name, content_digest(content)) for name, content in files.items())
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()[:DIGEST_LENGTH]


def content_digest(content: Content) -> str:
    """SHA-256 of a content, in hexadecimal; a file that has not changed is read once a process.

    Raises:
        GraceError: the file cannot be read.
    """
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    try:
        state = content.stat()
        return _file_digest(content, state.st_size, state.st_mtime_ns, state.st_ino)
    except OSError as error:
        raise GraceError(f"{content} cannot be read: {error.strerror}.") from error


def stored_zip(archive: Path) -> bytes:
    """The same zip with its members stored, which compresses better as a whole.

    Members keep their order and their times, so that it is the same for the same archive.

    Raises:
        GraceError: the archive cannot be read.
    """
    stored = io.BytesIO()
    try:
        with zipfile.ZipFile(archive) as read, zipfile.ZipFile(stored, "w") as write:
            for member in read.infolist():
                same = zipfile.ZipInfo(member.filename, member.date_time)
                same.external_attr = member.external_attr
                same.create_system = member.create_system
                write.writestr(same, read.read(member), zipfile.ZIP_STORED)
    except (OSError, zipfile.BadZipFile, zlib.error) as error:
        raise GraceError(f"{archive} cannot be read: {error}.") from error
    return stored.getvalue()


def _bundle(digest: str, paths: Mapping[str, Path]) -> Bundle:
    return Bundle(digest, paths, {name: path.stat().st_size for name, path in paths.items()})


def _check_name(name: str) -> None:
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") for part in path.parts)
    if not path.parts or path.is_absolute() or hidden or str(path) != name or "\\" in name:
        raise ValueError(f"{name!r} cannot be a part of an address")


@functools.lru_cache(maxsize=4096)
def _file_digest(path: Path, size: int, mtime_ns: int, inode: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _brotli(path: Path) -> None:
    _keep(path, ".br", lambda data: brotli.compress(data, quality=9, lgwin=24))


def _gzip(path: Path) -> None:
    # Without the time, so that the same file has the same form everywhere.
    _keep(path, ".gz", lambda data: gzip.compress(data, compresslevel=9, mtime=0))


def _keep(path: Path, suffix: str, compress: Callable[[bytes], bytes]) -> None:
    if path.suffix.lower() in _SQUEEZED:
        return
    data = path.read_bytes()
    compressed = compress(data)
    if len(compressed) < len(data) * (1 - LEAST_SAVED):
        Path(os.fspath(path) + suffix).write_bytes(compressed)
