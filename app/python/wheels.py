"""Reads wheels: what they need, and the files that they install, as site-packages has them.

A wheel is a zip file that somebody else made, so nothing in it is believed: where its files may go
and how large they may become is bounded.
"""

import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from pathlib import Path, PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from app.errors import PackageError
from app.python.target import ANY_PLATFORM

MOST_BYTES = 200_000_000
"""Bytes that all pure packages of a study may have when they are unpacked."""

MOST_FILES = 30_000
"""Files that they may have."""

_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,
    ValueError,
)
"""What `zipfile` raises for bytes that are no zip file, or none of a kind that it knows."""

_ENCRYPTED = 0x1
_INSTALLED = frozenset({"purelib", "platlib"})
_DATA_DEPTH = 2


@dataclass(frozen=True, slots=True)
class WheelName:
    """What a wheel's file name says (binary distribution format, "File name convention").

    Attributes:
        name: the package, in its one spelling.
        version: its version.
        pure: whether it runs on every platform.
    """

    name: str
    version: str
    pure: bool


@dataclass(frozen=True, slots=True)
class WheelMetadata:
    """What a wheel says of itself (core metadata).

    Attributes:
        requires: what it needs, with markers.
        requires_python: versions of Python that it runs on; empty when it does not say.
    """

    requires: tuple[Requirement, ...]
    requires_python: str


def wheel_name(filename: str) -> WheelName:
    """Read a wheel's file name.

    Raises:
        PackageError: it is no name of a wheel.
    """
    try:
        if "/" in filename or "\\" in filename:
            raise InvalidWheelFilename(filename)
        name, version, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename as error:
        raise PackageError(f"{filename!r} is no file name of a wheel.") from error
    return WheelName(name, str(version), all(tag.platform == ANY_PLATFORM for tag in tags))


def wheel_metadata(wheel: Path) -> WheelMetadata:
    """Read what a wheel needs.

    Raises:
        PackageError: the file is no wheel.
    """
    with _opened(wheel) as archive:
        names = [name for name in archive.namelist() if _is_metadata(name)]
        if len(names) != 1:
            raise PackageError(f"{wheel.name} has no METADATA, or too many.")
        if archive.getinfo(names[0]).file_size > MOST_BYTES:
            raise PackageError(f"{wheel.name} is larger than a package may be.")
        headers = BytesHeaderParser().parsebytes(_read(archive, wheel, names[0]))
    requires = []
    for text in headers.get_all("Requires-Dist") or ():
        try:
            requires.append(Requirement(str(text)))
        except InvalidRequirement as error:
            raise PackageError(f"{wheel.name} requires {text!r}, which is no package.") from error
    return WheelMetadata(tuple(requires), str(headers.get("Requires-Python") or ""))


def installed_files(
    wheels: Iterable[Path], *, most_bytes: int = MOST_BYTES, most_files: int = MOST_FILES
) -> dict[str, bytes]:
    """The files of pure wheels as they lie in site-packages, by path.

    Scripts, headers and data that go elsewhere are left out: a browser has no place for them.

    Args:
        wheels: the wheels.
        most_bytes: most bytes that all files together may have.
        most_files: most files there may be.

    Raises:
        PackageError: a wheel holds what must not be installed: a path that leads out of the folder,
            a link, another content for a file of another wheel, or too much.
    """
    files: dict[str, bytes] = {}
    total = 0
    for wheel in wheels:
        with _opened(wheel) as archive:
            seen: set[str] = set()
            for member in archive.infolist():
                path = _installed_path(member, wheel)
                if path is None:
                    continue
                total += member.file_size
                if total > most_bytes or len(files) >= most_files:
                    raise PackageError(
                        f"The packages are larger than {most_bytes / 1e6:g} MB or have more than "
                        f"{most_files} files with {wheel.name}: a browser should not load so much."
                    )
                content = _read(archive, wheel, member)
                if path in seen or files.setdefault(path, content) != content:
                    raise PackageError(
                        f"{wheel.name} has a second {path}: they exclude each other."
                    )
                seen.add(path)
    for path in files:
        for folder in PurePosixPath(path).parents:
            if str(folder) in files:
                raise PackageError(f"{folder} is a file of one package and a folder of another.")
    return files


def _installed_path(member: zipfile.ZipInfo, wheel: Path) -> str | None:
    """Where a member is installed; None when it is not."""
    path = PurePosixPath(member.filename)
    if (
        path.is_absolute()
        or ".." in path.parts
        or any(character in member.filename for character in "\\:\0")
        or str(path) != member.filename.rstrip("/")
    ):
        raise PackageError(f"{wheel.name} wants to write {member.filename!r}: that is not allowed.")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or member.flag_bits & _ENCRYPTED:
        raise PackageError(f"{wheel.name}: {member.filename!r} is no plain file.")
    if member.is_dir():
        return None
    if path.parts[0].endswith(".data") and len(path.parts) > 1:
        if path.parts[1] not in _INSTALLED or len(path.parts) <= _DATA_DEPTH:
            return None
        return str(PurePosixPath(*path.parts[_DATA_DEPTH:]))
    return str(path)


def _is_metadata(name: str) -> bool:
    folder, _, file = name.partition("/")
    return folder.endswith(".dist-info") and file == "METADATA"


def _opened(wheel: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(wheel)
    except _UNREADABLE as error:
        raise PackageError(f"{wheel.name} is no wheel: {error}.") from error


def _read(archive: zipfile.ZipFile, wheel: Path, member: zipfile.ZipInfo | str) -> bytes:
    try:
        return archive.read(member)
    except (*_UNREADABLE, OSError) as error:
        # OSError: bzip2 says so of bytes that are none.
        raise PackageError(f"{wheel.name} cannot be unpacked: {error}.") from error
