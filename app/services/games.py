"""Use cases of games: match, start, pause and go on, relay actions, end."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.errors import IllegalTransition, RefusedMessage
from app.games import (
    ActionOutOfTurn,
    Game,
    GameState,
    Lockstep,
    PlayerStatus,
    advance_game,
    choose_players,
    status_of,
)
from app.games.machine import (
    EpisodeEnded,
    GameDeadlinePassed,
    GameEvent,
    PlayerDeclaredReady,
    PlayersSeen,
)
from app.protocol import (
    EndReason,
    EnvironmentFailed,
    ErrorCode,
    GameStateHash,
    PlayerAction,
    PlayerReady,
    ServerEvent,
)
from app.services.core import Core
from app.services.ending import end_for_members
from app.services.partners import Partners
from app.sessions import Effect, Session, advance
from app.sessions.events import Matched
from app.stores.base import Change, Due, LogEntry
from app.studies import Game as GameScene

SEED_BITS = 31
"""Seeds fit in a signed 32-bit integer, which every generator takes."""

_Statuses = Sequence[PlayerStatus]


@dataclass(slots=True)
class _Live:
    """A game that has not ended: as it was last saved, its actions, and who is at the end."""

    game: Game
    steps: Lockstep
    moved_at: float
    finals: dict[int, tuple[int, dict[str, Any]]] = field(default_factory=dict)


class GameService:
    """The games of this process. Their actions are in memory; their lives are in the store."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._partners = Partners(core)
        self._live: dict[str, _Live] = {}

    def match(self, scene: GameScene, waiting: Sequence[Session]) -> bool:
        """Seat the first of a waiting room in a new game; False while there are too few."""
        chosen = choose_players(waiting, scene.players)
        if chosen is None:
            return False
        now = self._core.clock.now()
        game = Game(
            id="g_" + secrets.token_urlsafe(12),
            study=self._core.study_id,
            scene_id=scene.scene_id,
            members=chosen,
            seed=secrets.randbits(SEED_BITS),
            state=GameState.MATCHED,
            created_at=now,
            ready=(None,) * len(chosen),
            deadline=now + self._core.game_policy.game_start_timeout_s,
        )
        effects: list[tuple[str, tuple[Effect, ...]]] = []

        def decide(sessions: Any, _: Game | None) -> Change:
            effects.clear()
            seated: list[Session] = []
            for session_id in chosen:
                step = advance(sessions[session_id], Matched(game.id), now, self._core.policy)
                if step.session is not None:
                    seated.append(step.session)
                effects.append((session_id, step.effects))
            matched = LogEntry(
                now,
                None,
                "game_matched",
                {"game_id": game.id, "members": list(chosen), "scene_id": scene.scene_id},
            )
            return Change(seated, game, [matched])

        try:
            self._core.store.change_many(chosen, None, decide)
        except (IllegalTransition, KeyError):
            # Somebody was lost while the store was waited for: the room is to be read again.
            return True
        steps = Lockstep(len(chosen), self._core.settings.input_delay_frames)
        self._live[game.id] = _Live(game, steps, now)
        for session_id in chosen:
            self._core.tell(session_id, ServerEvent.GAME_MATCHED, self._payload(game, session_id))
        for session_id, caused in effects:
            self._core.effects.push(session_id, caused)
        return True

    def refresh(self, game_id: str) -> None:
        """Bring a game to the present state of its players, and tell the partners."""
        self._advance(game_id, lambda game, players: PlayersSeen(players))

    def deadline_passed(self, due: Due) -> None:
        """The sweeper found a game's deadline to be due."""
        self._advance(due.id, lambda game, players: GameDeadlinePassed(due.deadline))

    def end_stalled(self) -> None:
        """End the running games in which no step was made for as long as a pause may last.

        One page that is connected and sends nothing keeps all the others from stepping.
        """
        now = self._core.clock.now()
        limit_s = self._core.game_policy.game_start_timeout_s
        for live in list(self._live.values()):
            if live.game.state is GameState.RUNNING and now - live.moved_at >= limit_s:
                self._end(live.game.id, EndReason.RESUME_TIMEOUT)

    def player_ready(self, session: Session, message: PlayerReady) -> dict[str, Any]:
        """`player_ready`: a player can step the environment from the present frame on."""
        live = self._live_game(session.id, message.game_id)
        game = live.game
        seat = game.seat_of(session.id)
        self._advance(game.id, lambda _, players: PlayerDeclaredReady(seat, session.epoch, players))
        if game.state is GameState.RUNNING and live.game.state is GameState.RUNNING:
            # Nothing has changed for the others; this page may not have heard that it goes on.
            payload = {"game_id": game.id, "frame": live.steps.complete}
            self._core.tell(session.id, ServerEvent.GAME_RESUMED, payload)
        return {}

    def player_action(self, session_id: str, message: PlayerAction) -> None:
        """`player_action`: relay the steps that it completes to every player."""
        live = self._live_game(session_id, message.game_id)
        game, steps = live.game, live.steps
        if not game.has_started:
            raise RefusedMessage(ErrorCode.OUT_OF_TURN, "the game has not started")
        first = steps.complete
        try:
            completed = steps.accept(game.seat_of(session_id), message.frame, message.action)
        except ActionOutOfTurn as error:
            raise RefusedMessage(ErrorCode.OUT_OF_TURN, str(error)) from None
        if completed:
            live.moved_at = self._core.clock.now()
            payload = {"game_id": game.id, "from_frame": first, "actions": completed}
            self._core.tell_all(game.members, ServerEvent.FRAME_ACTIONS, payload)

    def state_hash(self, session: Session, message: GameStateHash) -> dict[str, Any]:
        """`game_state_hash`: end the game when players differ, or when all are at the end."""
        live = self._live_game(session.id, message.game_id)
        game, steps = live.game, live.steps
        seat = game.seat_of(session.id)
        if not game.has_started:
            raise RefusedMessage(ErrorCode.OUT_OF_TURN, "the game has not started")
        if message.frame > steps.complete:
            raise RefusedMessage(ErrorCode.OUT_OF_TURN, "that frame has not come yet")
        different = steps.compare(seat, message.frame, message.hash)
        if different is not None:
            self._desync(game, message.frame, different)
            return {}
        if message.result is not None:
            live.finals[seat] = (message.frame, dict(message.result))
            self._finish_if_all_did(live, message)
        return {}

    def environment_failed(self, session: Session, message: EnvironmentFailed) -> dict[str, Any]:
        """`environment_failed`: log the traceback and end the game for everybody."""
        game = self._live_game(session.id, message.game_id).game
        player = game.players[game.seat_of(session.id)]
        fields = {
            "game_id": game.id,
            "player": player,
            "frame": message.frame,
            "traceback": message.traceback,
        }
        self._log(session.id, "environment_failed", fields)
        self._end(game.id, EndReason.ENVIRONMENT_FAILED, {"player": player})
        return {}

    def resume_payload(self, session: Session, last_frame: int | None) -> dict[str, Any] | None:
        """The game in `session_opened`: the seat, and the steps since the page's last frame."""
        live = self._live.get(session.place.game_id or "")
        if live is None:
            return None
        game, steps = live.game, live.steps
        from_frame = 0 if last_frame is None or last_frame > steps.complete else last_frame
        return {
            **self._payload(game, session.id),
            "started": game.has_started,
            "paused": game.state is GameState.PAUSED,
            "from_frame": from_frame,
            "actions": steps.steps_from(from_frame),
            "next_frame": steps.next_frame(game.seat_of(session.id)),
        }

    def tell_partners_to(self, session: Session) -> None:
        """Tell a page that has just connected how its partners are."""
        if session.place.game_id is not None:
            game = self._core.store.game(session.place.game_id)
            if game is not None:
                self._partners.tell_all_to(session, game)

    def end_for_restart(self, game_id: str) -> None:
        """End a game whose actions were lost with the process that had them."""
        self._end(game_id, EndReason.SERVER_RESTARTED)

    def _payload(self, game: Game, session_id: str) -> dict[str, Any]:
        return {
            "game_id": game.id,
            "players": list(game.players),
            "you": game.players[game.seat_of(session_id)],
            "seed": game.seed,
            "input_delay_frames": self._core.settings.input_delay_frames,
        }

    def _live_game(self, session_id: str, game_id: str) -> _Live:
        live = self._live.get(game_id)
        if live is None or session_id not in live.game.members:
            raise RefusedMessage(ErrorCode.UNKNOWN_GAME, "you have no seat in that game")
        return live

    def _finish_if_all_did(self, live: _Live, message: GameStateHash) -> None:
        game, finals = live.game, live.finals
        if len(finals) < len(game.members):
            return
        if len({frame for frame, _ in finals.values()}) > 1:
            self._desync(game, message.frame, [str(finals[seat][0]) for seat in sorted(finals)])
        elif live.steps.agreed_by_all(message.frame):
            result = {**finals[0][1], "frame": message.frame, "hash": message.hash}
            self._end(game.id, EndReason.COMPLETED, result)

    def _desync(self, game: Game, frame: int, hashes: Sequence[str | None]) -> None:
        different = dict(zip(game.players, hashes, strict=True))
        self._log(None, "desync", {"game_id": game.id, "frame": frame, "hashes": different})
        self._end(game.id, EndReason.DESYNC)

    def _end(self, game_id: str, reason: EndReason, result: dict[str, Any] | None = None) -> None:
        self._advance(game_id, lambda game, players: EpisodeEnded(reason.value, result))

    def _log(self, session_id: str | None, event: str, fields: dict[str, Any]) -> None:
        self._core.store.append([LogEntry(self._core.clock.now(), session_id, event, fields)])

    def _advance(self, game_id: str, event_of: Callable[[Game, _Statuses], GameEvent]) -> None:
        """Load a game and its players, decide, save all of it at once, and tell."""
        known = self._core.store.game(game_id)
        if known is None:
            return
        now = self._core.clock.now()
        live = self._live.get(game_id)
        frame = 0 if live is None else live.steps.complete
        outcome: list[Any] = []

        def decide(sessions: Any, game: Game | None) -> Change:
            assert game is not None  # noqa: S101 - games are never deleted
            players = [
                status_of(player, sessions.get(member), busy=self._core.is_busy(member))
                for player, member in zip(game.players, game.members, strict=True)
            ]
            step = advance_game(game, event_of(game, players), now, self._core.game_policy)
            after, ended = step.game, "ended" in step.happened
            moved: dict[str, Any] = {}
            if ended:
                after = replace(after, frames=frame)
                moved = end_for_members(self._core, game, after, sessions, now)
            entries = [
                LogEntry(now, None, f"game_{happened}", _fields(after, frame))
                for happened in step.happened
            ]
            if ended:
                entries += self._partners.end_entries(after, players, now)
            outcome[:] = [game, after, step.happened, players, moved]
            changed = [step.session for step in moved.values()]
            return Change(changed, after if after != game else None, entries)

        try:
            self._core.store.change_many(known.members, game_id, decide)
        except IllegalTransition as error:
            raise RefusedMessage(ErrorCode.UNKNOWN_GAME, str(error)) from error
        before, after, happened, players, moved = outcome
        if before.state is GameState.ENDED:
            return
        if live is not None:
            live.game = after
            if happened:
                live.moved_at = now
        self._partners.tell_changes(after, players)
        for what in happened:
            self._tell_what_happened(what, after, frame, moved)
        if after.state is GameState.ENDED:
            self._forget(after.id)
        for session_id, step in moved.items():
            self._core.effects.push(session_id, step.effects)

    def _tell_what_happened(self, what: str, game: Game, frame: int, moved: dict[str, Any]) -> None:
        payload: dict[str, Any] = {"game_id": game.id, "frame": frame}
        if what == "paused":
            payload["player"] = game.waiting_for
        if what != "ended":
            event = ServerEvent(f"game_{what}")
            for member in game.members:
                self._core.tell(member, event, payload)
            return
        for member, step in moved.items():
            ended = {"game_id": game.id, "reason": game.reason, "place": step.session.place.state}
            if game.result is not None:
                ended["result"] = dict(game.result)
            self._core.tell(member, ServerEvent.GAME_ENDED, ended)

    def _forget(self, game_id: str) -> None:
        self._partners.forget(game_id)
        self._live.pop(game_id, None)


def _fields(game: Game, frame: int) -> dict[str, Any]:
    fields: dict[str, Any] = {"game_id": game.id, "frame": frame}
    if game.waiting_for is not None:
        fields["player"] = game.waiting_for
    if game.reason is not None:
        fields.update(reason=game.reason, result=game.result)
    return fields
