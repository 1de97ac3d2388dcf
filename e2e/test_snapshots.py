"""Python from a memory snapshot, and what becomes of a load when that is not what it should be."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Route

from app.lab.admin import select
from app.lab.bench import Bench
from app.lab.waiting import until
from e2e.playing import assert_equal_states, finish_episode

SNAPSHOT = "**/snapshot.pack"
BUILD_ID_AT = 16
"""Where the hash of its build begins in Pyodide's own header (314.0.7)."""

KEPT_FILES = """async () => {
  const folder = await navigator.storage.getDirectory();
  const names = [];
  for await (const name of folder.keys()) names.push(name);
  return names;
}"""
SPOIL_KEPT_FILE = """async () => {
  const folder = await navigator.storage.getDirectory();
  for await (const name of folder.keys()) {
    const handle = await folder.getFileHandle(name);
    const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer());
    bytes[bytes.length >> 1] ^= 1;
    const file = await handle.createWritable();
    await file.write(bytes);
    await file.close();
  }
}"""


def not_there(body: bytes) -> bytes | None:
    """The server has it no more."""
    return None


def spoiled(body: bytes) -> bytes:
    """One bit is another."""
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


def truncated(body: bytes) -> bytes:
    """It ends half-way."""
    return body[: len(body) // 2]


def of_another_version(body: bytes) -> bytes:
    """Pyodide's own header names another build of it."""
    name = b'"pyodide_header":"'
    start = body.index(name) + len(name)
    # Base64 writes three bytes as four characters.
    place = start + BUILD_ID_AT // 3 * 4 + 4
    other = b"AAAA" if body[place : place + 4] != b"AAAA" else b"BBBB"
    return body[:place] + other + body[place + 4 :]


def something_else(body: bytes) -> bytes:
    """A page of a proxy that wants somebody to log in."""
    return b"<!doctype html><title>Welcome to our hotel</title>"


def test_both_play_from_a_snapshot(bench: Bench, studies: Path, runtime: str) -> None:
    """The report says so; nothing of the standard library was fetched."""
    server = bench.serve(studies / "game_first.py", runtime=runtime)
    first, second = bench.participant("first"), bench.participant("second")
    fetched: list[str] = []
    for player in (first, second):
        player.page.on("request", lambda request: fetched.append(request.url))
        player.open(server.url)
    ended = finish_episode(server, first, second)
    assert_equal_states(ended, first, second)
    for player in (first, second):
        report = player.load_report()
        assert (report["runtime"], report["snapshot"]) == (runtime, "restored")
    assert [url for url in fetched if url.endswith("python_stdlib.zip")] == []


@pytest.mark.parametrize(
    "change", [not_there, spoiled, truncated, of_another_version, something_else]
)
def test_a_snapshot_that_is_no_good_costs_time_and_nothing_else(
    bench: Bench, studies: Path, runtime: str, change: Callable[[bytes], bytes | None]
) -> None:
    """It is loaded plainly, says why, and plays in step with one who has the snapshot."""
    server = bench.serve(studies / "game_first.py", runtime=runtime)
    unlucky, partner = bench.participant("unlucky"), bench.participant("partner")

    def answer(route: Route) -> None:
        fetched = route.fetch()
        body = change(fetched.body())
        if body is None:
            route.fulfill(status=404)
        else:
            route.fulfill(status=200, body=body, content_type="application/octet-stream")

    unlucky.page.context.route(SNAPSHOT, answer)
    for player in (unlucky, partner):
        player.open(server.url)
        # Playwright answers what is routed only while it is asked something.
        player.wait_for_load()
    ended = finish_episode(server, unlucky, partner)
    assert_equal_states(ended, unlucky, partner)
    report = unlucky.load_report()
    assert (report["runtime"], report["snapshot"]) == (runtime, "failed")
    assert report["snapshot_error"]
    assert partner.load_report()["snapshot"] == "restored"

    # Must not happen: that it counted as a failure of the load, or cost a connection.
    events = server.admin.events()
    assert select(events, "loading_failed") == []
    assert select(events, "link_lost") == []
    logged = select(events, "loading_completed", session_id=server.admin.opened_by("unlucky"))
    assert [entry["report"]["snapshot"] for entry in logged] == ["failed"]


def test_without_an_offer_it_is_loaded_plainly(bench: Bench, studies: Path, runtime: str) -> None:
    """As on a server without Node.js; the page does not ask for what is not offered."""
    server = bench.serve(studies / "game_first.py", runtime=runtime, snapshots=False)
    alone = bench.participant("alone")
    asked: list[str] = []
    alone.page.on("request", lambda request: asked.append(request.url))
    alone.open(server.url)
    alone.wait_for_load()
    assert alone.load_report()["snapshot"] == "none"
    assert [url for url in asked if url.endswith("snapshot.pack")] == []


def test_the_next_visit_has_the_snapshot_already(bench: Bench, studies: Path, runtime: str) -> None:
    """It is read from the browser's private files; one that was spoiled there is fetched anew."""
    server = bench.serve(studies / "game_first.py", runtime=runtime)
    visitor = bench.participant("visitor")
    asked: list[str] = []
    visitor.page.context.on(
        "request", lambda one: asked.append(one.url) if "snapshot.pack" in one.url else None
    )

    def visit() -> int:
        asked.clear()
        visitor.open(server.url)
        visitor.wait_for_load()
        assert visitor.load_report()["snapshot"] == "restored"
        return len(asked)

    def kept() -> list[str] | None:
        return [name for name in visitor.page.evaluate(KEPT_FILES) if "crswap" not in name] or None

    assert visit() >= 1
    until(kept, what="the snapshot being kept", timeout_s=20)
    assert visit() == 0
    visitor.page.evaluate(SPOIL_KEPT_FILE)
    assert visit() >= 1
    until(kept, what="the snapshot being kept again", timeout_s=20)
    assert visit() == 0


def test_what_is_imported_late_is_there(bench: Bench, studies: Path, runtime: str) -> None:
    """The library is fetched when something reads it, and the memory grows; one has no snapshot."""
    server = bench.serve(studies / "late.py", runtime=runtime)
    restored, plain = bench.participant("restored"), bench.participant("plain")
    plain.page.context.route(SNAPSHOT, lambda route: route.fulfill(status=404))
    fetched: list[str] = []
    restored.page.on("request", lambda request: fetched.append(request.url))
    for player in (restored, plain):
        player.open(server.url)
        player.wait_for_load()
    assert [player.load_report()["snapshot"] for player in (restored, plain)] == [
        "restored",
        "failed",
    ]
    ended = finish_episode(server, restored, plain)
    assert_equal_states(ended, restored, plain)
    assert len([url for url in fetched if url.endswith("python_stdlib.zip")]) == 1
