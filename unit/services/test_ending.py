"""The end of a game leads its players on, or back to the front of the queue."""

import pytest

from app.games import Game, GameState
from app.services.ending import end_for_members
from app.sessions import PlaceState, Session
from app.sessions.events import Matched, QueueJoined
from unit.fakes.games import NOW, matched
from unit.fakes.sessions import after, opened
from unit.fakes.studies import one_game
from unit.fakes.world import World

QUEUED_AT = NOW - 100.0


def playing(session_id: str) -> Session:
    """A session with a seat in the game, queued since QUEUED_AT."""
    return after(
        opened(session_id=session_id), QueueJoined(600.0), Matched("g_1"), at=QUEUED_AT - NOW
    )


def ends(
    world: World, state: GameState = GameState.RUNNING, reason: str = "completed"
) -> dict[str, Session]:
    """The players of a game of two after its end, those who are still in their seats."""
    sessions = {session_id: playing(session_id) for session_id in ("s_0", "s_1")}
    before = matched()
    over = matched()
    object.__setattr__(before, "state", state)
    object.__setattr__(over, "reason", reason)
    steps = end_for_members(world.core, before, over, sessions, NOW)
    return {key: step.session for key, step in steps.items() if step.session is not None}


@pytest.mark.parametrize("state", [GameState.RUNNING, GameState.PAUSED])
@pytest.mark.parametrize("reason", ["completed", "player_gone", "desync", "server_restarted"])
def test_a_game_that_was_played_leads_on(world: World, state: GameState, reason: str) -> None:
    """The scene is done and the players are free to go on, whatever the reason."""
    for session in ends(world, state, reason).values():
        assert session.place.state is PlaceState.LOBBY
        assert session.scene.done


@pytest.mark.parametrize(
    "reason", ["player_left", "player_gone", "player_failed", "server_restarted"]
)
def test_a_game_that_never_started_leads_back(world: World, reason: str) -> None:
    """To the place in the queue that the players had, with a whole wait ahead of them."""
    for session in ends(world, GameState.MATCHED, reason).values():
        assert session.place.state is PlaceState.WAITING
        assert session.place.queued_at == QUEUED_AT
        assert session.place.deadline == NOW + 600.0
        assert not session.scene.done


def test_who_held_the_start_up_goes_to_the_back(world: World) -> None:
    """Who was there and never got ready would keep the next one waiting in vain too."""
    for session in ends(world, GameState.MATCHED, "start_timeout").values():
        assert session.place.state is PlaceState.WAITING
        assert session.place.queued_at == NOW


def test_a_study_may_lead_on_from_there_too() -> None:
    """`on_unstarted="continue"` counts the scene as played."""
    for session in ends(World(one_game(on_unstarted="continue")), GameState.MATCHED).values():
        assert session.place.state is PlaceState.LOBBY
        assert session.scene.done


def test_who_has_no_seat_any_more_is_left_alone(world: World) -> None:
    """Whoever left, or plays in another game by now, is not moved."""
    sessions = {
        "s_0": playing("s_0"),
        "s_1": opened(session_id="s_1"),
        "s_2": after(opened(session_id="s_2"), QueueJoined(None), Matched("g_2")),
    }
    game: Game = matched()
    assert list(end_for_members(world.core, game, game, sessions, NOW)) == ["s_0"]
    assert end_for_members(world.core, game, game, {}, NOW) == {}


def test_a_scene_that_is_no_more_keeps_nobody(world: World) -> None:
    """The study may have changed since the game began; its end is no error."""
    other = World(one_game(scene_id="another"), clock=world.clock, store=world.store)
    for session in ends(other).values():
        assert session.place.state is PlaceState.LOBBY
