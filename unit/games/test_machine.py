"""The life of a game: matched, running, paused, ended."""

import pytest

from app.errors import IllegalTransition
from app.games import GAME_TABLE, Game, GameState, GameStep, advance_game
from app.games.machine import (
    EpisodeEnded,
    GameDeadlinePassed,
    GameEvent,
    PlayerDeclaredReady,
    PlayersSeen,
)
from app.sessions import LinkState, RuntimeState
from unit.fakes.games import GAME_POLICY, HERE, NOW, matched, player

LOST = (player(0), player(1, link=LinkState.AWAY))
BUSY = (player(0), player(1, busy=True))
BACK = (player(0), player(1, epoch=2))


def step(game: Game, event: GameEvent, at: float = 0.0) -> GameStep:
    """What an event makes of a game, `at` seconds after NOW."""
    return advance_game(game, event, NOW + at, GAME_POLICY)


def ready(seat: int, epoch: int = 1) -> PlayerDeclaredReady:
    """A player's readiness while everybody is there."""
    return PlayerDeclaredReady(seat, epoch, HERE)


def running() -> Game:
    """A game in which both players are ready."""
    return step(step(matched(), ready(0)).game, ready(1)).game


def paused() -> Game:
    """A game whose second player is away."""
    return step(running(), PlayersSeen(LOST), at=5.0).game


def waiting_for_readiness() -> Game:
    """A game whose second player reconnected and has not said to be ready."""
    return step(running(), PlayersSeen(BACK), at=5.0).game


def ended() -> Game:
    """A game that was played to its end."""
    return step(running(), EpisodeEnded("completed")).game


def test_a_game_starts_when_everybody_is_ready() -> None:
    """The last player's readiness starts the game and ends its deadline."""
    first = step(matched(), ready(0))
    assert first.happened == ()
    assert first.game.waiting_for == "player_1"
    second = step(first.game, ready(1))
    assert second.happened == ("started",)
    assert second.game.state is GameState.RUNNING
    assert second.game.deadline is None
    assert second.game.waiting_for is None


def test_a_game_does_not_start_while_a_player_is_away() -> None:
    """Readiness of a connection that was lost since does not count."""
    both = step(step(matched(), ready(0)).game, PlayerDeclaredReady(1, 1, LOST))
    assert both.game.state is GameState.MATCHED


def test_readiness_is_of_one_connection() -> None:
    """Who came back on another connection has to be ready again."""
    first = step(matched(), ready(0)).game
    other_epoch = (player(0, epoch=2), player(1))
    assert step(first, PlayerDeclaredReady(1, 1, other_epoch)).game.state is GameState.MATCHED


def test_a_player_may_be_ready_whatever_the_server_knows_of_the_runtime() -> None:
    """`player_ready` says that Python is there; a completion that comes later changes nothing."""
    loading = (player(0), player(1, runtime=RuntimeState.LOADING))
    first = step(matched(), ready(0)).game
    assert step(first, PlayerDeclaredReady(1, 1, loading)).happened == ("started",)


def test_a_running_game_pauses_for_who_is_away() -> None:
    """A lost player pauses the game for everybody."""
    lost = step(running(), PlayersSeen(LOST), at=5.0)
    assert lost.happened == ("paused",)
    assert lost.game.waiting_for == "player_1"


def test_a_pause_is_bounded() -> None:
    """A game waits no longer for a player who is there, but not ready, than for its start."""
    assert waiting_for_readiness().deadline == NOW + 5.0 + GAME_POLICY.game_start_timeout_s


def test_a_paused_game_goes_on_when_all_are_back_and_ready() -> None:
    """Being back is not enough: the page has to have replayed to the present."""
    back = step(paused(), PlayersSeen(BACK))
    assert back.happened == ()
    assert back.game.state is GameState.PAUSED
    again = step(back.game, PlayerDeclaredReady(1, 2, BACK))
    assert again.happened == ("resumed",)
    assert again.game.deadline is None


def test_a_paused_game_is_not_paused_again() -> None:
    """The same absence, seen again, neither happens again nor moves the deadline."""
    game = paused()
    assert step(game, PlayersSeen(LOST), at=9.0) == GameStep(game)


def test_a_busy_player_pauses_a_game_until_the_page_answers() -> None:
    """It is the same connection, so nobody has to be ready again; and the pause is bounded."""
    busy = step(running(), PlayersSeen(BUSY), at=5.0)
    assert busy.happened == ("paused",)
    assert busy.game.waiting_for == "player_1"
    assert busy.game.deadline == NOW + 5.0 + GAME_POLICY.game_start_timeout_s
    assert step(busy.game, PlayersSeen(LOST), at=6.0).game.deadline is None
    assert step(busy.game, PlayersSeen(HERE), at=6.0) == GameStep(running(), ("resumed",))


@pytest.mark.parametrize(
    ("left", "reason"), [(True, "player_left"), (False, "player_gone")], ids=["left", "gone"]
)
@pytest.mark.parametrize("game", [matched(), running(), paused()], ids=lambda game: game.state)
def test_a_game_ends_with_a_player(game: Game, left: bool, reason: str) -> None:
    """A player who is gone ends the game in every state, with the reason."""
    without = (player(0), player(1, link=LinkState.GONE, left=left))
    over = step(game, PlayersSeen(without), at=5.0)
    assert over.happened == ("ended",)
    assert over.game.reason == reason
    assert over.game.ended_at == NOW + 5.0
    assert over.game.deadline is None


def test_a_failed_load_ends_a_game_that_has_not_started() -> None:
    """Nobody waits for a player whose Python failed; once started, a reload may still help."""
    failed = (player(0), player(1, runtime=RuntimeState.FAILED))
    assert step(matched(), PlayersSeen(failed)).game.reason == "player_failed"
    reloaded = (player(0), player(1, epoch=2, runtime=RuntimeState.FAILED))
    assert step(paused(), PlayersSeen(reloaded)).game.state is GameState.PAUSED


@pytest.mark.parametrize(
    ("game", "reason"),
    [(matched(), "start_timeout"), (waiting_for_readiness(), "resume_timeout")],
    ids=["matched", "paused"],
)
def test_a_game_that_waits_too_long_ends(game: Game, reason: str) -> None:
    """A game is given up when its deadline passes, not before, and not for another deadline."""
    deadline = game.deadline
    assert deadline is not None
    for event, at in [
        (GameDeadlinePassed(deadline), deadline - 0.1),
        (GameDeadlinePassed(deadline - 1.0), deadline),
    ]:
        assert advance_game(game, event, at, GAME_POLICY).game == game
    over = advance_game(game, GameDeadlinePassed(deadline), deadline, GAME_POLICY)
    assert over.happened == ("ended",)
    assert over.game.reason == reason


def test_an_episode_ends_with_its_result() -> None:
    """What the environment says at the end is kept."""
    over = step(running(), EpisodeEnded("completed", {"frames": 90}), at=3.0)
    assert over.happened == ("ended",)
    assert over.game.result == {"frames": 90}


@pytest.mark.parametrize(
    "event", [PlayersSeen(LOST), GameDeadlinePassed(NOW + 180.0), EpisodeEnded("desync")]
)
def test_ended_is_final(event: GameEvent) -> None:
    """Nothing happens to a game that is over, and its reason stays the first."""
    assert step(ended(), event, at=500.0) == GameStep(ended())


def test_nobody_is_ready_for_a_game_that_is_over() -> None:
    """Readiness for an ended game is illegal, and the error says which."""
    with pytest.raises(IllegalTransition) as raised:
        step(ended(), ready(0))
    error = raised.value
    assert (error.machine, error.state, error.event) == ("game", "ended", "PlayerDeclaredReady")


def test_the_table_has_every_state() -> None:
    """Each state is told what its players do, and each can end."""
    assert {state for state, event in GAME_TABLE if event is PlayersSeen} == set(GameState)
    assert all(
        GameState.ENDED in targets
        for (_, event), (_, targets) in GAME_TABLE.items()
        if event is EpisodeEnded
    )
