"""Coming back into a game that runs."""

from pathlib import Path

from app.lab.admin import select
from app.lab.bench import Bench
from app.lab.waiting import until


def test_page_reloaded_in_a_running_game_replays_to_the_present(
    bench: Bench, studies: Path, runtime: str
) -> None:
    """The game waits for the new page, which steps through all it missed, and goes on with it."""
    server = bench.serve(studies / "game_first.py", runtime=runtime)
    admin = server.admin
    first, second = bench.participant("first"), bench.participant("second")
    for page in (first, second):
        page.open(server.url)
    admin.wait_for_event("game_started", timeout_s=60)
    first_id = admin.opened_by("first")
    hashed = until(
        lambda: first.recorded("game_state_hashed") or None,
        what="a second of the game was played",
        timeout_s=30,
    )
    first.reload()

    paused = admin.wait_for_event("game_paused")
    resumed = admin.wait_for_event("game_resumed", timeout_s=60)
    ended = admin.wait_for_event("game_ended", timeout_s=60)
    assert hashed[0]["frame"] <= paused["frame"] <= resumed["frame"]
    assert ended["reason"] == "completed"
    for page in (first, second):
        page.wait_for(game="ended", place="lobby")
        finals = [
            entry["hash"]
            for entry in page.recorded("game_state_hashed")
            if entry["frame"] == ended["result"]["frame"]
        ]
        assert set(finals) == {ended["result"]["hash"]}
    first.wait_for(session=first_id)

    # Must not happen: another game, or a partner who hears that the other is gone.
    events = admin.events()
    assert len(select(events, "game_matched")) == 1
    assert select(events, "session_gone") == []
    links = {told["link"] for told in second.recorded("partner_status")}
    assert "away" in links
    assert "gone" not in links
