"""What happens when nothing freezes: whole games, failing environments, two tabs."""

from pathlib import Path

from app.lab.admin import select
from app.lab.bench import Bench
from e2e.album import Album
from e2e.playing import assert_equal_states, finish_episode, idle_state


def test_whole_match_of_the_shipped_study(
    bench: Bench, shipped_study: Path, album: Album, runtime: str
) -> None:
    """Two people read, play a whole match with their keyboards, and reach the end of the study."""
    server = bench.serve(shipped_study, runtime=runtime)
    left, right = bench.participant("left"), bench.participant("right")
    for player in (left, right):
        player.open(server.url)
        player.wait_for(scene="welcome", place="lobby")
        player.part("continue").click()
        player.wait_for(scene="match")
    ended = finish_episode(server, left, right)
    assert sorted(ended["result"]["rewards"].values()) == [-5, 5]
    assert_equal_states(ended, left, right)
    album.take("result", left, right)
    for player in (left, right):
        player.part("continue").click()
        player.wait_for(scene="thanks", place="finished")
    album.take("thanks", left)

    # Must not happen: that the keys counted for nothing, or that anything had to be made good.
    (game,) = server.admin.games()
    assert game["result"]["hash"] != idle_state(shipped_study, game["seed"])
    for mishap in ("link_lost", "game_paused", "desync"):
        assert select(server.admin.events(), mishap) == []


def test_environment_that_raises_ends_the_game_for_both(
    bench: Bench, studies: Path, runtime: str
) -> None:
    """An error in the environment ends the game, both are told, and the log has the traceback."""
    server = bench.serve(studies / "raises.py", runtime=runtime)
    players = [bench.participant("first"), bench.participant("second")]
    for player in players:
        player.open(server.url)
    failed = server.admin.wait_for_event("environment_failed", timeout_s=60)
    assert "ZeroDivisionError" in failed["traceback"]
    assert "divide_the_prize" in failed["traceback"]
    ended = server.admin.wait_for_event("game_ended")
    assert ended["reason"] == "environment_failed"
    for player in players:
        player.wait_for(game="ended")
        assert [end["reason"] for end in player.recorded("game_ended")] == ["environment_failed"]

    # Must not happen: that a fault of the study costs anybody the session.
    assert select(server.admin.events(), "session_gone") == []


def test_second_tab_is_a_second_participant(bench: Bench, studies: Path, runtime: str) -> None:
    """Two tabs of one browser are two sessions, who can play each other."""
    server = bench.serve(studies / "game_first.py", runtime=runtime)
    first = bench.participant("first")
    second = bench.participant("second", beside=first)
    first.open(server.url)
    first_id = server.admin.opened_by("first")
    second.open(server.url)
    assert server.admin.opened_by("second") != first_id
    finish_episode(server, first, second)

    # Must not happen: that the second tab takes the session of the first.
    assert first.recorded("session_ended") == []
    assert len(server.admin.sessions()) == 2
