"""The server crashes under its participants and is started again on the same store."""

from pathlib import Path

from app.lab.admin import select
from app.lab.bench import Bench
from app.lab.throttle import cpu_throttle
from e2e.album import Album
from e2e.playing import FREEZING, finish_episode

SLOW_RATE = 4
"""Makes the load long enough for the crash to come within it."""


def test_crashed_server_finds_its_participants_again(
    bench: Bench, studies: Path, album: Album
) -> None:
    """One who waits and one who is frozen come back by themselves, as the same, and play."""
    server = bench.serve(studies / "game_first.py", **FREEZING)
    waiting, frozen = bench.participant("waiting"), bench.participant("frozen")
    waiting.open(server.url)
    waiting.wait_for(runtime="ready", place="waiting", timeout_s=60)
    frozen.open(server.url)
    with cpu_throttle(frozen.page, SLOW_RATE):
        ids = [server.admin.opened_by(one.name) for one in (waiting, frozen)]
        server.admin.wait_for_event("loading_started", session_id=ids[1])
        frozen.wait_until_frozen()
        server.kill()
        waiting.wait_for(link="lost")
        waiting.part("banner").get_by_text("lost").wait_for(state="visible")
        album.take("connection-lost", waiting)
        server.start()
        waiting.wait_for(link="connected", session=ids[0], timeout_s=20)
        album.take("connection-back", waiting)
        frozen.wait_for_load()
    frozen.wait_for(link="connected", session=ids[1])
    finish_episode(server, waiting, frozen)

    (restarted,) = select(server.admin.events(), "server_restarted")
    assert restarted["down_s"] > 0
    matches = [entry["members"] for entry in select(server.admin.events(), "game_matched")]
    # The match that was lost with the server, and the one that was made in its place.
    assert matches == [ids, ids]

    # Must not happen: that the crash cost anybody the session, or made somebody new of them.
    assert select(server.admin.events(), "session_gone") == []
    assert {session["session_id"] for session in server.admin.sessions()} == set(ids)
