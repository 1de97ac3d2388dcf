"""Who of a waiting room plays together."""

from app.games import choose_players
from unit.fakes.sessions import away, failed, loading, opened, waiting


def test_the_first_who_came_play() -> None:
    """Seats go to the first in the queue, in that order."""
    queue = [waiting(opened(session_id=f"s_{number}")) for number in range(3)]
    assert choose_players(queue, 2) == ("s_0", "s_1")


def test_too_few_wait() -> None:
    """Nobody is seated while seats would stay empty."""
    assert choose_players([], 2) is None
    assert choose_players([waiting()], 2) is None


def test_who_is_away_or_without_python_is_passed_over() -> None:
    """Somebody who is away, or whose Python failed, does not keep the others from playing."""
    queue = [
        away(waiting(opened(session_id="s_away"))),
        waiting(loading(session_id="s_loading")),
        waiting(failed(session_id="s_failed")),
        waiting(opened(session_id="s_cold")),
    ]
    assert choose_players(queue, 2) == ("s_loading", "s_cold")
    assert choose_players(queue, 3) is None
