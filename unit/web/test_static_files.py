"""Files are sent as a browser wants them, may be kept for ever, and nothing else can be had."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli
import pytest
from werkzeug.test import Client, TestResponse

from app.python.bundle import Bundle, make_bundle, plain_bundle
from app.python.cache import Cache
from app.web.headers import FOR_EVER, HEADERS
from app.web.static_files import BLOCK_BYTES, StaticFiles

TEXT = b"// the same words, the same words, the same words\n" * 2000
NAMES = {
    "a.css": 'text/css; charset="utf-8"',
    "a.js": 'text/javascript; charset="utf-8"',
    "a.json": "application/json",
    "a.mjs": 'text/javascript; charset="utf-8"',
    "a.pack": "application/octet-stream",
    "a.wasm": "application/wasm",
    "a.zip": "application/zip",
    "box-1.0-py3-none-any.whl": "application/zip",
    "match/environment.py": 'text/x-python; charset="utf-8"',
    "none": "application/octet-stream",
}


def refuse(environ: Any, start_response: Any) -> list[bytes]:
    """Stands for all that is not a file."""
    start_response("404 Not Found", [("X-Path", environ["PATH_INFO"])])
    return [b"not a file"]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cache]:
    """A cache for all tests here."""
    made = Cache(tmp_path_factory.mktemp("cache"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def bundle(cache: Cache) -> Bundle:
    """A compressed file of every kind."""
    return make_bundle(dict.fromkeys(NAMES, TEXT), cache)


@pytest.fixture(scope="module")
def http(bundle: Bundle) -> Client:
    """Asks for files."""
    return Client(StaticFiles(refuse, [bundle]))


def get(http: Client, path: str, **headers: str) -> TestResponse:
    """Ask for a file; the names of headers are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return http.get(path, headers=named, buffered=True)


@pytest.mark.parametrize(("name", "media_type"), NAMES.items())
def test_every_file_has_its_media_type(
    http: Client, bundle: Bundle, name: str, media_type: str
) -> None:
    """A browser takes no script, WebAssembly or style of another one."""
    for coding in ("", "br", "gzip"):
        answer = get(http, bundle.url(name), Accept_Encoding=coding)
        assert answer.headers["Content-Type"] == media_type


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("br", "br"),
        ("gzip, deflate", "gzip"),
        ("gzip;q=1.0, br;q=0.5", "br"),
        ("br;q=0, gzip", "gzip"),
        ("gzip,br; q=0.000", "gzip"),
        ("br;q=0., gzip", "gzip"),
        ("br;Q=0,gzip ; q=0", None),
        ("gzip;q=0.001, br;q=0", "gzip"),
        ("identity", None),
        ("deflate, zstd", None),
        ("", None),
        ("*", None),
        (None, None),
    ],
)
def test_a_file_comes_in_a_coding_that_is_accepted(
    http: Client, bundle: Bundle, accepted: str | None, coding: str | None
) -> None:
    """The smallest such; one that is named to be refused is not sent."""
    given = {} if accepted is None else {"Accept_Encoding": accepted}
    answer = get(http, bundle.url("a.wasm"), **given)
    assert answer.headers.get("Content-Encoding") == coding
    decode: Any = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[coding]
    assert decode(answer.data) == TEXT
    assert answer.headers["Content-Length"] == str(len(answer.data))
    assert answer.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("coding", ["", "br"])
def test_a_file_is_kept_for_ever(http: Client, bundle: Bundle, coding: str) -> None:
    """By browsers, and by what lies between; every header of ours is on it, no other origin's."""
    answer = get(http, bundle.url("a.js"), Accept_Encoding=coding)
    assert answer.headers["Cache-Control"] == FOR_EVER == "public, max-age=31536000, immutable"
    assert HEADERS.items() <= dict(answer.headers).items()
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("coding", ["", "br", "gzip"])
def test_what_is_known_is_not_sent_again(http: Client, bundle: Bundle, coding: str) -> None:
    """In whichever coding it came; with the headers that it came with."""
    first = get(http, bundle.url("a.js"), Accept_Encoding=coding)
    # Weak, since all codings have the same.
    assert first.headers["ETag"] == f'W/"{bundle.digest}"'
    for condition in (
        {"If_None_Match": first.headers["ETag"]},
        {"If_Modified_Since": first.headers["Last-Modified"]},
    ):
        again = get(http, bundle.url("a.js"), Accept_Encoding=coding, **condition)
        assert (again.status_code, again.data) == (304, b"")
        for name in ("Cache-Control", "ETag", "Vary", *HEADERS):
            assert again.headers[name] == first.headers[name]


@pytest.mark.parametrize(
    "condition",
    [
        {"If_None_Match": 'W/"another"'},
        {"If_None_Match": 'W/"another"', "If_Modified_Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
        {"If_Modified_Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"If_Modified_Since": "yesterday"},
    ],
    ids=str,
)
def test_what_is_not_known_is_sent(http: Client, bundle: Bundle, condition: dict[str, str]) -> None:
    """An entity tag goes before a time (RFC 9110, 13.1.3)."""
    assert get(http, bundle.url("a.js"), **condition).data == TEXT


@pytest.mark.parametrize("part", ["bytes=0-0", "bytes=-1", "bytes=5-", "bytes=9999999-", "x"])
def test_whoever_asks_for_a_part_gets_the_whole(http: Client, bundle: Bundle, part: str) -> None:
    """Parts of different codings can so never be put together."""
    answer = get(http, bundle.url("a.js"), Range=part, Accept_Encoding="br")
    assert answer.status_code == 200
    assert brotli.decompress(answer.data) == TEXT


def test_head_tells_and_sends_nothing(http: Client, bundle: Bundle) -> None:
    """The same headers as GET, and no body."""
    headers = {"Accept-Encoding": "br"}
    asked = get(http, bundle.url("a.js"), Accept_Encoding="br")
    answer = http.head(bundle.url("a.js"), headers=headers)
    assert answer.status_code == 200
    assert list(answer.headers) == list(asked.headers)
    assert answer.data == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_a_file_can_only_be_read(http: Client, bundle: Bundle, method: str) -> None:
    """And the refusal is kept by nobody."""
    answer = http.open(bundle.url("a.js"), method=method)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert answer.headers["Cache-Control"] == "no-store"
    assert HEADERS.items() <= dict(answer.headers).items()
    assert TEXT not in answer.data


@pytest.mark.parametrize(
    "path",
    [
        "", "none.js", "match", "match/", "a.js/", "a.js.br", "a.js.gz", ".in-use", "./a.js",
        "match/../a.js", "%2e%2e/{digest}/a.js", "../bundle1-{digest}/a.js", "//a.js", "a.js%00",
        "..%2f..%2f..%2fetc/passwd", "\\a.js", "A.JS",
    ],
)  # fmt: skip
def test_nothing_else_can_be_had(http: Client, bundle: Bundle, path: str) -> None:
    """No folder, no hidden file, no compressed form by its name, nothing outside."""
    asked = bundle.address + path.format(digest=bundle.digest)
    answer = get(http, asked)
    assert (answer.status_code, answer.data) == (404, b"not a file")


@pytest.mark.parametrize("path", ["/", "/static/", "/static/a.js", "/healthz", "/socket.io/"])
def test_all_else_is_not_its_business(http: Client, path: str) -> None:
    """It goes on as it came, with a body and a method of its own."""
    answer = http.post(path, data=b"x", headers={"Range": "bytes=0-0"})
    assert (answer.status_code, answer.headers["X-Path"]) == (404, path)
    assert "Content-Security-Policy" not in answer.headers


def test_a_file_is_written_in_blocks(bundle: Bundle) -> None:
    """A slow reader has a time for each of them; the rest waits on the disk."""
    started: list[Any] = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": bundle.url("a.js")}
    files: Any = StaticFiles(refuse, [bundle])
    answer = files(environ, lambda *given: started.append(given))
    blocks = list(answer)
    answer.close()
    assert b"".join(blocks) == TEXT
    assert {len(block) for block in blocks[:-1]} == {BLOCK_BYTES}
    assert [status for status, _ in started] == ["200 OK"]


def test_files_that_are_not_compressed_are_served_too(tmp_path: Path, cache: Cache) -> None:
    """Then there is nothing that an answer could vary by."""
    (tmp_path / "a.js").write_bytes(TEXT)
    bundle = plain_bundle({"a.js": tmp_path / "a.js", "b.py": b"# b"}, lambda: cache)
    http = Client(StaticFiles(refuse, [bundle]))
    answer = get(http, bundle.url("a.js"), Accept_Encoding="br, gzip")
    assert (answer.data, answer.headers["Cache-Control"]) == (TEXT, FOR_EVER)
    assert {"Content-Encoding", "Vary"}.isdisjoint(answer.headers.keys())
    assert get(http, bundle.url("b.py")).data == b"# b"


def test_bundles_stay_apart(cache: Cache) -> None:
    """Each file has the entity tag of its own bundle, and no address of another one."""
    bundles = [make_bundle({name: TEXT}, cache) for name in ("a.js", "b.js")]
    http = Client(StaticFiles(refuse, bundles))
    for bundle, name, foreign in zip(bundles, ("a.js", "b.js"), ("b.js", "a.js"), strict=True):
        assert get(http, bundle.url(name)).headers["ETag"] == f'W/"{bundle.digest}"'
        assert get(http, bundle.address + foreign).status_code == 404
