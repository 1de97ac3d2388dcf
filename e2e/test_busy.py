"""A page that is connected and frozen: the others are told, and the game waits for it."""

from pathlib import Path

from app.lab.admin import select
from app.lab.bench import Bench
from e2e.album import Album
from e2e.playing import assert_equal_states, block_main_thread, finish_episode

BLOCK_S = 5
"""Long enough for a PING to be due and to stay unanswered for a second; under `ping_timeout_s`."""


def test_game_waits_for_a_busy_player(bench: Bench, studies: Path, album: Album) -> None:
    """While one page is frozen the game pauses for both; then it goes on by itself."""
    server = bench.serve(studies / "game_first.py", ping_interval_s=1, ping_timeout_s=15)
    admin = server.admin
    frozen, partner = bench.participant("frozen"), bench.participant("partner")
    for player in (frozen, partner):
        player.open(server.url)
    frozen_id = admin.opened_by("frozen")
    started = admin.wait_for_event("game_started", timeout_s=60)
    # What the loading pages have missed is over.
    for player in (frozen, partner):
        player.wait_for(game="running")

    block_main_thread(frozen, BLOCK_S)
    paused = admin.wait_for_event("game_paused", where=lambda entry: entry["seq"] > started["seq"])
    (game,) = admin.games()
    assert game["players"][paused["player"]] == frozen_id
    partner.wait_for(game="paused")
    (seen,) = (one for one in admin.sessions() if one["session_id"] == frozen_id)
    assert (seen["link"], seen["busy"]) == ("connected", True)
    assert 1 <= seen["busy_for_s"] <= BLOCK_S
    album.take("busy", partner)
    resumed = admin.wait_for_event(
        "game_resumed", where=lambda entry: entry["seq"] > paused["seq"], timeout_s=BLOCK_S + 5
    )
    answered = admin.wait_for_event(
        "became_responsive",
        session_id=frozen_id,
        where=lambda entry: paused["seq"] < entry["seq"] < resumed["seq"],
    )
    assert 1 <= answered["busy_s"] <= BLOCK_S + 1
    ended = finish_episode(server, frozen, partner)
    assert_equal_states(ended, frozen, partner)
    links = [told["link"] for told in partner.recorded("partner_status")]
    assert links[-2:] == ["busy", "connected"]

    # Must not happen: that the connection is taken for lost.
    assert select(admin.events(), "link_lost") == []


def test_a_page_that_does_not_load_is_missed_on_time(bench: Bench, studies: Path) -> None:
    """Nothing excuses its block: 38.0 to 39.5 s after its last PONG, here half of that."""
    server = bench.serve(
        studies / "game_first.py", ping_interval_s=4, ping_timeout_s=15, reconnect_grace_s=30
    )
    admin = server.admin
    alone = bench.participant("alone")
    alone.open(server.url)
    alone.wait_for(runtime="ready", place="waiting", timeout_s=60)
    session_id = admin.opened_by("alone")
    before = admin.events()[-1]["seq"]

    block_main_thread(alone, seconds=26)
    lost = admin.wait_for_event("link_lost", session_id=session_id, timeout_s=30)
    assert (lost["cause"], lost["grace"]) == ("heartbeat_missed", "reconnect")
    assert 19.0 <= lost["silent_s"] <= 19.75
    (busy,) = select(admin.events(), "became_busy", where=lambda entry: entry["seq"] > before)
    assert busy["at"] < lost["at"]
    admin.wait_for_event("link_restored", session_id=session_id, timeout_s=20)
    alone.wait_for(link="connected", place="waiting", session=session_id)
