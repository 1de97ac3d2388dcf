"""Packs of files: what is written is read, here and in the page."""

import json
import struct
import subprocess
from pathlib import Path

import pytest

from app.python.node import find_node
from app.python.pack import NoPack, read_files, read_pack, write_files

FILES = {"b/ü.py": b"second", "a.py": b"first\n", "empty": b""}
PACK_JS = Path(__file__).resolve().parents[2] / "static" / "js" / "pack.js"


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Paths and contents, sorted by path."""
    pack = tmp_path / "x.pack"
    write_files(pack, FILES)
    assert list(read_files(pack).items()) == sorted(FILES.items())


def test_equal_files_make_an_equal_pack(tmp_path: Path) -> None:
    """Its address is made of its content, so the order in which files came must not matter."""
    write_files(tmp_path / "1", FILES)
    write_files(tmp_path / "2", dict(reversed(FILES.items())))
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_the_layout(tmp_path: Path) -> None:
    """Magic, the header's length (a multiple of 8), zero, the header, the payload."""
    pack = tmp_path / "x.pack"
    write_files(pack, FILES)
    data = pack.read_bytes()
    magic, length, zero = struct.unpack("<8sII", data[:16])
    assert (magic, length % 8, zero) == (b"GRACEPK1", 0, 0)
    header = json.loads(data[16 : 16 + length])
    assert header == {"kind": "files", "files": [["a.py", 6], ["b/ü.py", 6], ["empty", 0]]}
    assert data[16 + length :] == b"first\nsecond"
    assert read_pack(pack) == (header, b"first\nsecond")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GRACEPK1",
        b"GRACEPK2" + struct.pack("<II", 0, 0),
        b"GRACEPK1" + struct.pack("<II", 9, 0) + b"{}",
        b"GRACEPK1" + struct.pack("<II", 2, 0) + b"{]",
        b"GRACEPK1" + struct.pack("<II", 2, 0) + b"[]",
        b"GRACEPK1" + struct.pack("<II", 2, 0) + b"\xff\xfe",
        b"GRACEPK1" + struct.pack("<II", 2, 0) + b"{}",
        b"GRACEPK1" + struct.pack("<II", 37, 0) + b'{"kind": "files", "files": [["a",2]]}' + b"x",
        b"GRACEPK1" + struct.pack("<II", 37, 0) + b'{"kind": "files", "files": [["a",2]]}' + b"xyz",
    ],
    ids=repr,
)
def test_what_is_no_pack_is_refused(data: bytes, tmp_path: Path) -> None:
    """Another file, one of another kind, and one that is cut off."""
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(NoPack, match="x is "):
        read_files(tmp_path / "x")


@pytest.mark.parametrize("files", ["", ',"files":3', ',"files":[["a"]]', ',"files":[["a","b"]]'])
def test_a_pack_that_does_not_list_its_files_is_refused(files: str, tmp_path: Path) -> None:
    """One of another version, or damaged."""
    header = f'{{"kind":"files"{files}}}'.encode()
    (tmp_path / "x").write_bytes(b"GRACEPK1" + struct.pack("<II", len(header), 0) + header)
    with pytest.raises(NoPack, match="x does not say which files it has"):
        read_files(tmp_path / "x")


READING = """
const [module, pack] = process.argv.slice(1);
const { readFiles } = await import(module);
const { readFileSync } = await import("node:fs");
const files = [...readFiles(readFileSync(pack))].map(([path, bytes]) => [path, bytes.toString()]);
console.log(JSON.stringify(files));
"""


def test_the_page_reads_it(tmp_path: Path) -> None:
    """The page's own module finds the same files in it."""
    node = find_node()
    assert node is not None
    pack = tmp_path / "x.pack"
    write_files(pack, FILES)
    ended = subprocess.run(
        [
            *node,
            "--no-warnings",
            "--input-type=module",
            "-e",
            READING,
            "--",
            PACK_JS.as_uri(),
            pack,
        ],
        capture_output=True,
        check=True,
    )
    assert json.loads(ended.stdout) == [[path, FILES[path].decode()] for path in sorted(FILES)]
