"""What the server keeps of a game."""

from dataclasses import replace

import pytest

from app.games import GameState, player_name
from unit.fakes.games import matched


def test_players_are_named_as_in_pettingzoo() -> None:
    """A seat's player has the name that the environment gives it."""
    assert player_name(3) == "player_3"
    assert matched(players=3).players == ("player_0", "player_1", "player_2")


def test_a_member_has_one_seat() -> None:
    """The seats are in the order of the members, and nobody else has one."""
    game = matched()
    assert game.seat_of("s_1") == 1
    with pytest.raises(ValueError, match="not in tuple"):
        game.seat_of("s_9")


@pytest.mark.parametrize("state", GameState)
def test_a_paused_game_has_started(state: GameState) -> None:
    """Running and paused games have started, and no others."""
    started = state in (GameState.RUNNING, GameState.PAUSED)
    assert replace(matched(), state=state).has_started is started
