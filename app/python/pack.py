"""Writes and reads packs of files: many files in one, as the page reads them (`static/js/pack.js`).

8 bytes `GRACEPK1`, the header's length as a little-endian uint32, 4 bytes of zero, the JSON header
and the payload. A pack of equal files is equal byte for byte.
"""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.errors import GraceError

MAGIC = b"GRACEPK1"
FILES = "files"

_FIXED = struct.Struct("<8sII")
_ALIGNED = 8


class NoPack(GraceError):
    """A file is no pack, or is cut off."""


def write_files(target: Path, files: Mapping[str, bytes]) -> None:
    """Write a pack of files.

    Args:
        target: the pack.
        files: contents by path, relative to site-packages, with `/` as the separator.
    """
    names = sorted(files)
    header = {"kind": FILES, "files": [[name, len(files[name])] for name in names]}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _ALIGNED)
    with target.open("wb") as pack:
        pack.write(_FIXED.pack(MAGIC, len(text), 0) + text)
        pack.writelines(files[name] for name in names)


def read_pack(pack: Path) -> tuple[dict[str, Any], bytes]:
    """The header and the payload of a pack of any kind.

    Raises:
        NoPack: it is none.
    """
    data = pack.read_bytes()
    try:
        magic, length, _ = _FIXED.unpack_from(data)
        end = _FIXED.size + length
        if magic != MAGIC or end > len(data):
            raise NoPack(f"{pack} is no pack.")
        header = json.loads(data[_FIXED.size : end])
    except (struct.error, ValueError) as error:
        raise NoPack(f"{pack} is no pack.") from error
    if not isinstance(header, dict):
        raise NoPack(f"{pack} is no pack.")
    return header, data[end:]


def read_files(pack: Path) -> dict[str, bytes]:
    """The contents of a pack of files, by path.

    Raises:
        NoPack: it is no pack of files, or is cut off.
    """
    header, payload = read_pack(pack)
    if header.get("kind") != FILES:
        raise NoPack(f"{pack} is no pack of files.")
    files: dict[str, bytes] = {}
    offset = 0
    try:
        for name, length in header["files"]:
            files[name] = payload[offset : offset + length]
            offset += length
    except (KeyError, TypeError, ValueError) as error:
        raise NoPack(f"{pack} does not say which files it has.") from error
    if offset != len(payload):
        raise NoPack(f"{pack} is cut off: its files have {offset} bytes, not {len(payload)}.")
    return files
