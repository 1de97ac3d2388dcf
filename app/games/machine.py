"""The life of a game: matched, running, paused, ended. A table, like the session's machines."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.errors import IllegalTransition
from app.games.models import Game, GameState, PlayerStatus
from app.sessions import LinkState, RuntimeState


@dataclass(frozen=True, slots=True)
class PlayersSeen:
    """The present status of every player, in the order of the seats."""

    players: Sequence[PlayerStatus]


@dataclass(frozen=True, slots=True)
class PlayerDeclaredReady:
    """A player has reset the environment and replayed it to the present, on connection `epoch`."""

    seat: int
    epoch: int
    players: Sequence[PlayerStatus]


@dataclass(frozen=True, slots=True)
class GameDeadlinePassed:
    """The sweeper found this deadline to be due."""

    deadline: float


@dataclass(frozen=True, slots=True)
class EpisodeEnded:
    """The environment's episode is over, or cannot go on; `reason` says which."""

    reason: str
    result: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class GamePolicy:
    """The times a game decides by, in seconds."""

    game_start_timeout_s: float = 180.0


GameEvent = PlayersSeen | PlayerDeclaredReady | GameDeadlinePassed | EpisodeEnded


@dataclass(frozen=True, slots=True)
class GameStep:
    """The outcome: the game to be saved, and the names of what happened, in order.

    `happened` holds "started", "paused", "resumed" and "ended".
    """

    game: Game
    happened: tuple[str, ...] = field(default=())


def _see(game: Game, event: PlayersSeen, now: float, policy: GamePolicy) -> GameStep:
    gone = [player for player in event.players if player.link == LinkState.GONE]
    if gone:
        return _end(game, "player_left" if gone[0].left else "player_gone", None, now)
    if game.state is GameState.MATCHED and any(
        player.runtime == RuntimeState.FAILED for player in event.players
    ):
        return _end(game, "player_failed", None, now)
    missing = [
        player.player
        for seat, player in enumerate(event.players)
        if player.link != LinkState.CONNECTED or player.busy or game.ready[seat] != player.epoch
    ]
    if not missing:
        return _go(game)
    waiting = replace(game, waiting_for=missing[0])
    if game.state is GameState.MATCHED:
        return GameStep(waiting)
    # Who is away has a deadline of their own, and the game ends by that one.
    anybody_away = any(player.link != LinkState.CONNECTED for player in event.players)
    deadline = None if anybody_away else game.deadline or now + policy.game_start_timeout_s
    paused = replace(waiting, state=GameState.PAUSED, deadline=deadline)
    return GameStep(paused, ("paused",) if game.state is GameState.RUNNING else ())


def _go(game: Game) -> GameStep:
    if game.state is GameState.RUNNING:
        return GameStep(game)
    happened = "started" if game.state is GameState.MATCHED else "resumed"
    running = replace(game, state=GameState.RUNNING, deadline=None, waiting_for=None)
    return GameStep(running, (happened,))


def _ready(game: Game, event: PlayerDeclaredReady, now: float, policy: GamePolicy) -> GameStep:
    ready = tuple(
        event.epoch if seat == event.seat else epoch for seat, epoch in enumerate(game.ready)
    )
    return _see(replace(game, ready=ready), PlayersSeen(event.players), now, policy)


def _time_out(game: Game, event: GameDeadlinePassed, now: float, policy: GamePolicy) -> GameStep:
    if game.deadline is None or game.deadline != event.deadline or game.deadline > now:
        return GameStep(game)
    reason = "start_timeout" if game.state is GameState.MATCHED else "resume_timeout"
    return _end(game, reason, None, now)


def _finish(game: Game, event: EpisodeEnded, now: float, policy: GamePolicy) -> GameStep:
    return _end(game, event.reason, event.result, now)


def _end(game: Game, reason: str, result: Mapping[str, Any] | None, now: float) -> GameStep:
    ended = replace(
        game,
        state=GameState.ENDED,
        deadline=None,
        waiting_for=None,
        ended_at=now,
        reason=reason,
        result=result,
    )
    return GameStep(ended, ("ended",))


def _stay(game: Game, event: GameEvent, now: float, policy: GamePolicy) -> GameStep:
    return GameStep(game)


_Apply = Callable[[Game, Any, float, GamePolicy], GameStep]
_MATCHED, _RUNNING = GameState.MATCHED, GameState.RUNNING
_PAUSED, _ENDED = GameState.PAUSED, GameState.ENDED

GAME_TABLE: Mapping[tuple[GameState, type], tuple[_Apply, tuple[GameState, ...]]] = {
    (_MATCHED, PlayersSeen): (_see, (_MATCHED, _RUNNING, _ENDED)),
    (_RUNNING, PlayersSeen): (_see, (_RUNNING, _PAUSED, _ENDED)),
    (_PAUSED, PlayersSeen): (_see, (_PAUSED, _RUNNING, _ENDED)),
    (_ENDED, PlayersSeen): (_stay, (_ENDED,)),
    (_MATCHED, PlayerDeclaredReady): (_ready, (_MATCHED, _RUNNING, _ENDED)),
    (_RUNNING, PlayerDeclaredReady): (_ready, (_RUNNING, _PAUSED, _ENDED)),
    (_PAUSED, PlayerDeclaredReady): (_ready, (_PAUSED, _RUNNING, _ENDED)),
    (_MATCHED, GameDeadlinePassed): (_time_out, (_MATCHED, _ENDED)),
    (_RUNNING, GameDeadlinePassed): (_stay, (_RUNNING,)),
    (_PAUSED, GameDeadlinePassed): (_time_out, (_PAUSED, _ENDED)),
    (_ENDED, GameDeadlinePassed): (_stay, (_ENDED,)),
    (_MATCHED, EpisodeEnded): (_finish, (_ENDED,)),
    (_RUNNING, EpisodeEnded): (_finish, (_ENDED,)),
    (_PAUSED, EpisodeEnded): (_finish, (_ENDED,)),
    (_ENDED, EpisodeEnded): (_stay, (_ENDED,)),
}
"""(state, type of event) -> (what decides, every state it may lead to)."""


def advance_game(game: Game, event: GameEvent, now: float, policy: GamePolicy) -> GameStep:
    """What `event` makes of `game` at `now`.

    Raises:
        IllegalTransition: the table has no entry for it; nothing was changed.
    """
    entry = GAME_TABLE.get((game.state, type(event)))
    if entry is None:
        raise IllegalTransition("game", game.state, type(event).__name__)
    apply, targets = entry
    step = apply(game, event, now, policy)
    if step.game.state not in targets:
        raise IllegalTransition(
            "game", f"{game.state} (to {step.game.state})", type(event).__name__
        )
    return step
