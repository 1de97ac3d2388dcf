"""A bundle's address is made of its content, and its files are compressed where that helps."""

import gzip
import io
import os
import re
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import brotli
import pytest

from app.errors import GraceError
from app.python.bundle import (
    Content,
    content_digest,
    digest_of,
    make_bundle,
    plain_bundle,
    stored_zip,
)
from app.python.cache import Cache

TEXT = b"the same words, the same words, the same words; " * 50
NOISE = os.urandom(3000)
FILES: dict[str, Content] = {"js/a.js": TEXT, "b.bin": NOISE, "empty": b""}


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    """An empty cache."""
    made = Cache(tmp_path / "cache")
    yield made
    made.close()


def test_its_address_is_made_of_its_content(cache: Cache) -> None:
    """The same files have the same address everywhere; any other name or byte has another one."""
    bundle = make_bundle(FILES, cache)
    assert re.fullmatch("/static/[0-9a-f]{20}/", bundle.address)
    assert bundle.url("js/a.js") == f"{bundle.address}js/a.js"
    assert digest_of(dict(reversed(FILES.items()))) == bundle.digest
    others: list[dict[str, Content]] = [
        FILES | {"empty": b" "},
        FILES | {"more": b""},
        {"js/b.js" if name == "js/a.js" else name: one for name, one in FILES.items()},
        {},
    ]
    assert len({bundle.digest, *map(digest_of, others)}) == 1 + len(others)


def test_only_its_files_have_addresses(cache: Cache) -> None:
    """What is not in it is a mistake of the caller."""
    with pytest.raises(KeyError):
        make_bundle(FILES, cache).url("c.js")


def test_files_lie_in_it_as_they_are(cache: Cache) -> None:
    """With their sizes, which a progress bar is made of."""
    bundle = make_bundle(FILES, cache)
    assert {name: path.read_bytes() for name, path in bundle.paths.items()} == FILES
    assert bundle.sizes == {"js/a.js": len(TEXT), "b.bin": 3000, "empty": 0}
    assert all(path.is_relative_to(cache.folder) for path in bundle.paths.values())


def test_compressed_forms_lie_beside_them(cache: Cache) -> None:
    """Where they are smaller: what is random or empty cannot be."""
    path = make_bundle(FILES, cache).paths["js/a.js"]
    assert brotli.decompress(path.with_name("a.js.br").read_bytes()) == TEXT
    assert gzip.decompress(path.with_name("a.js.gz").read_bytes()) == TEXT
    assert path.with_name("a.js.br").stat().st_size < len(TEXT) / 10
    names = {file.name for file in path.parent.parent.rglob("*") if file.is_file()}
    assert names == {"a.js", "a.js.br", "a.js.gz", "b.bin", "empty", ".in-use"}


@pytest.mark.parametrize("name", ["a.png", "a.PNG"])
def test_what_is_compressed_already_is_left_alone(cache: Cache, name: str) -> None:
    """By its suffix: trying would take time and save nothing."""
    path = make_bundle({name: TEXT}, cache).paths[name]
    assert [one.name for one in path.parent.glob("a.*")] == [name]


def test_what_compression_hardly_makes_smaller_is_sent_as_it_is(cache: Cache) -> None:
    """A browser would unpack it for nothing."""
    path = make_bundle({"a.bin": NOISE + bytes(100)}, cache).paths["a.bin"]
    assert [one.name for one in path.parent.glob("a.bin*")] == ["a.bin"]


def test_the_same_content_is_compressed_alike(tmp_path: Path) -> None:
    """So that two servers with caches of their own send the same bytes."""
    forms = []
    for name in ("one", "other"):
        own = Cache(tmp_path / name)
        path = make_bundle(FILES, own).paths["js/a.js"]
        forms.append([path.with_name(f"a.js.{coding}").read_bytes() for coding in ("br", "gz")])
        own.close()
    assert forms[0] == forms[1]
    # Bytes 4 to 7 are a time (RFC 1952), which no two servers would have the same.
    assert forms[0][1][4:8] == bytes(4)


def test_nothing_is_compressed_twice(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in this process nor in the next."""
    first = make_bundle(FILES, cache)
    monkeypatch.setattr(brotli, "compress", None)
    assert make_bundle(FILES, cache) == make_bundle(FILES, Cache(cache.folder)) == first


def test_files_may_be_compressed_at_once(cache: Cache) -> None:
    """The result is the same, and a failure is not lost in a thread."""
    with ThreadPoolExecutor(2) as pool:
        path = make_bundle(FILES, cache, at_once=pool.map).paths["js/a.js"]
        assert path.with_name("a.js.br").is_file()


def test_a_failure_leaves_no_bundle(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of it is none."""
    monkeypatch.setattr(brotli, "compress", lambda data, **given: 1 / 0)
    with ThreadPoolExecutor(2) as pool, pytest.raises(ZeroDivisionError):
        make_bundle(FILES, cache, at_once=pool.map)
    assert list(cache.folder.iterdir()) == []


def test_what_takes_long_is_announced(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, since later it is there."""
    monkeypatch.setattr("app.python.bundle.LONG_BYTES", 2000)
    said: list[str] = []
    for _ in range(2):
        make_bundle(FILES, cache, say=said.append)
    (sentence,) = said
    assert "compressing" in sentence


def test_a_file_that_changes_meanwhile_is_noticed(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes would be kept for ever under the address of others."""
    file = tmp_path / "file"
    file.write_text("before")

    def copy_late(source: Path, target: Path) -> None:
        target.write_text("after")

    monkeypatch.setattr("shutil.copyfile", copy_late)
    with pytest.raises(GraceError, match="changed while it was read"):
        make_bundle({"file": file}, cache)
    assert list(cache.folder.iterdir()) == []


def test_a_file_has_the_digest_of_its_content(tmp_path: Path) -> None:
    """Before and after it has changed; one that is not there is named."""
    file = tmp_path / "file"
    for content in (b"one", b"other", b""):
        file.write_bytes(content)
        assert content_digest(file) == content_digest(content)
        assert digest_of({"a": file}) == digest_of({"a": content})
    with pytest.raises(GraceError, match=r"none\.js cannot be read: No such file"):
        content_digest(tmp_path / "none.js")


def test_a_file_of_the_same_size_has_a_digest_of_its_own(tmp_path: Path) -> None:
    """Written anew, or put in the place of another one with the same time."""
    file, other = tmp_path / "file", tmp_path / "other"
    file.write_bytes(b"one")
    os.utime(file, ns=(1, 1))
    assert content_digest(file) == content_digest(b"one")
    file.write_bytes(b"two")
    os.utime(file, ns=(2, 2))
    assert content_digest(file) == content_digest(b"two")
    other.write_bytes(b"six")
    os.utime(other, ns=(2, 2))
    other.replace(file)
    assert content_digest(file) == content_digest(b"six")


@pytest.mark.parametrize(
    "name", ["", "/a", "../a", "a/../b", "a//b", ".git/a", "a/.b", "a\\b", "."]
)
def test_a_name_is_a_part_of_an_address(name: str) -> None:
    """Nothing lies outside of a bundle, and nothing in it is hidden."""
    with pytest.raises(ValueError, match="cannot be a part of an address"):
        digest_of({name: b""})


@pytest.mark.parametrize("name", ["a.js.br", "a.js.gz"])
def test_no_file_takes_the_place_of_a_compressed_one(name: str) -> None:
    """It would be sent instead of the other."""
    with pytest.raises(ValueError, match="compressed form"):
        digest_of({"a.js": b"", name: b""})


class TestPlain:
    """Without a cache files are served from where they are."""

    def test_files_stay_where_they_are(self, tmp_path: Path) -> None:
        """Nothing is written for them."""
        file = tmp_path / "a.js"
        file.write_bytes(TEXT)

        def no_scratch() -> Any:
            raise AssertionError("nothing has to be written")

        bundle = plain_bundle({"js/a.js": file}, no_scratch)
        assert bundle.paths == {"js/a.js": file}
        assert bundle.digest == digest_of({"js/a.js": TEXT})

    def test_what_is_in_no_file_gets_one(self, tmp_path: Path, cache: Cache) -> None:
        """Once for each content, and not compressed."""
        file = tmp_path / "a.js"
        file.write_bytes(TEXT)
        files: dict[str, Content] = {"js/a.js": file, "match/environment.py": b"# Zo\xc3\xab"}
        bundle = plain_bundle(files, lambda: cache)
        assert bundle.paths["match/environment.py"].read_bytes() == b"# Zo\xc3\xab"
        assert bundle.sizes == {"js/a.js": len(TEXT), "match/environment.py": 6}
        assert plain_bundle(files, lambda: cache) == bundle
        assert len(list(cache.folder.iterdir())) == 1
        changed = plain_bundle({"match/environment.py": b"# other"}, lambda: cache)
        assert changed.paths["match/environment.py"].read_bytes() == b"# other"


class TestStoredZip:
    """The same archive, in a form that compresses better as a whole."""

    def test_it_holds_the_same(self, tmp_path: Path) -> None:
        """Names, contents, times and order; made twice it is the same bytes."""
        archive = tmp_path / "library.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as write:
            write.writestr(zipfile.ZipInfo("b.py", (2020, 2, 2, 2, 2, 2)), TEXT)
            write.writestr("a/", b"")
            write.writestr("a/c.py", NOISE)
        stored = stored_zip(archive)
        assert stored == stored_zip(archive)
        assert TEXT in stored
        with zipfile.ZipFile(archive) as before, zipfile.ZipFile(io.BytesIO(stored)) as after:
            assert after.testzip() is None
            for old, new in zip(before.infolist(), after.infolist(), strict=True):
                assert (old.filename, old.date_time) == (new.filename, new.date_time)
                assert before.read(old) == after.read(new)
                assert new.compress_type == zipfile.ZIP_STORED

    def test_a_damaged_archive_is_an_error(self, tmp_path: Path) -> None:
        """What its index lists cannot be unpacked."""
        archive = tmp_path / "library.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as write:
            write.writestr("a.py", TEXT)
        data = archive.read_bytes()
        begin = data.index(b"a.py") + len("a.py")
        archive.write_bytes(data[:begin] + b"\xff" * 9 + data[begin + 9 :])
        with pytest.raises(GraceError, match=r"library\.zip cannot be read"):
            stored_zip(archive)

    @pytest.mark.parametrize("content", [None, b"no zip"])
    def test_no_archive_is_an_error(self, tmp_path: Path, content: bytes | None) -> None:
        """A broken installation is said as such."""
        if content is not None:
            (tmp_path / "library.zip").write_bytes(content)
        with pytest.raises(GraceError, match=r"library\.zip cannot be read"):
            stored_zip(tmp_path / "library.zip")
