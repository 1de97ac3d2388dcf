"""The Socket.IO handlers: check, hand to a service, acknowledge. Nothing waits in them."""

from collections.abc import Callable
from typing import Any

import socketio
import structlog
from socketio.exceptions import ConnectionRefusedError

from app.errors import RefusedConnection, RefusedMessage, StoreError, UnknownRecord
from app.protocol import (
    AdvanceScene,
    ClientMessage,
    ConnectAuth,
    EnvironmentFailed,
    ErrorCode,
    GameStateHash,
    JoinGame,
    Leave,
    LoadingComplete,
    LoadingProgress,
    LoadingStart,
    PlayerAction,
    PlayerReady,
    parse_auth,
    parse_message,
)
from app.services.addresses import Addresses
from app.services.connections import Connection
from app.services.core import Core
from app.services.games import GameService
from app.services.inbox import Loss, LossInbox
from app.services.rate import TokenBucket
from app.services.sessions import SessionService, credential_of
from app.sessions import LinkState, LossCause
from app.sockets.doorkeeper import Doorkeeper
from app.sockets.emitter import SocketEmitter
from app.sockets.packets import PageEvent
from app.sockets.register import Sockets

log = structlog.get_logger("grace.sockets")

MESSAGES_PER_S = 200.0
MESSAGES_BURST = 600.0
"""A player sends about 35 messages a second, and more at once only when a thaw lets go of them."""

LOGGED_PER_S = 0.5
LOGGED_BURST = 20.0
"""Refused messages of one connection that are logged; whoever floods us does not fill the log."""

CONNECTS_PER_S = 1.0
CONNECTS_BURST = 10.0
"""One WebSocket carries one session; a client that leaves and comes on it again is tolerated."""

Answer = dict[str, Any]


class Handlers:
    """The handlers of one server.

    Args:
        core: the shared parts.
        sessions: use cases of sessions.
        games: use cases of games.
        inbox: takes lost connections.
        sockets: the open WebSockets.
        emitter: acknowledges events, and excuses a page that could not answer.
    """

    def __init__(
        self,
        core: Core,
        sessions: SessionService,
        games: GameService,
        inbox: LossInbox,
        sockets: Sockets,
        emitter: SocketEmitter,
    ) -> None:
        self._core = core
        self._sessions = sessions
        self._games = games
        self._inbox = inbox
        self._sockets = sockets
        self._emitter = emitter
        counted = Addresses() if core.settings.address_limits else None
        self._door = Doorkeeper(counted, core.clock.now)
        self._buckets: dict[str, TokenBucket] = {}
        self._logged: dict[str, TokenBucket] = {}
        self._routes: dict[type, Callable[[str, Any], Answer]] = {
            LoadingStart: sessions.loading_started,
            LoadingProgress: sessions.loading_progressed,
            LoadingComplete: sessions.loading_completed,
            JoinGame: lambda session_id, _: sessions.join_game(session_id),
            AdvanceScene: sessions.advance_scene,
            Leave: lambda session_id, _: sessions.leave(session_id),
            PlayerReady: self._player_ready,
            PlayerAction: self._player_action,
            GameStateHash: self._with_session(games.state_hash),
            EnvironmentFailed: self._with_session(games.environment_failed),
        }

    def register(self, server: socketio.Server) -> None:
        """Attach the handlers, without the contexts that Flask-SocketIO would put around them."""
        server.on("connect", self.on_connect)
        server.on("disconnect", self.on_disconnect)
        self._sockets.listener = self.on_event
        self._door.watch(server)

    def on_connect(self, sid: str, environ: dict[str, Any], auth: object = None) -> None:
        """Bind the connection to a session, before any event of it can arrive.

        Lets nothing but ConnectionRefusedError out: at a TypeError python-socketio would call it
        again without `auth`, and a resume would become a new session.
        """
        self._sockets.bind(environ, sid)
        try:
            self._check_connects(environ)
            self._open(sid, environ, parse_auth(auth))
        except RefusedMessage as refused:
            self._sockets.unbind(sid)
            log.info("connection_refused", code=str(refused.code))
            refusal = _refusal(refused.code, refused.message, **getattr(refused, "details", {}))
            if refused.code == ErrorCode.RATE_LIMITED:
                self._door.turn_away(environ, refusal.error_args)
            raise refusal from None
        except StoreError as error:
            self._sockets.unbind(sid)
            log.error("connection_postponed", error=str(error))
            # It may have failed after the session was saved as connected.
            self._inbox.put(Loss(sid, "server fault", None, LossCause.SERVER_CLOSED))
            raise _refusal(ErrorCode.TRY_AGAIN, "the server could not do this now") from None
        except Exception:
            self._sockets.unbind(sid)
            log.exception("connect_failed")
            self._inbox.put(Loss(sid, "server fault", None, LossCause.SERVER_CLOSED))
            raise _refusal(ErrorCode.INTERNAL_ERROR, "the server has a fault") from None
        self._door.settled(environ)
        now = self._core.clock.now()
        self._buckets[sid] = TokenBucket(MESSAGES_PER_S, MESSAGES_BURST, now)

    def on_disconnect(self, sid: str, reason: str = "unknown") -> None:
        """Hand the loss over and return: this runs inside the task that watches all clients."""
        self._buckets.pop(sid, None)
        self._logged.pop(sid, None)
        loss = self._loss(sid, str(reason))
        self._sockets.release(sid)
        self._inbox.put(loss)

    def on_event(self, sid: str, event: PageEvent) -> None:
        """Any event: checked, handed to its service, and acknowledged where it asks for that.

        What still comes after a Socket.IO DISCONNECT is nobody's, and nothing is kept of it.
        """
        if sid not in self._buckets:
            return
        answer = self.answer(sid, event)
        if event.ack_id is not None:
            self._emitter.acknowledge(sid, event.ack_id, answer)

    def answer(self, sid: str, event: PageEvent) -> Answer:
        """What an event is to be acknowledged with."""
        connection = self._core.connections.of_sid(sid)
        name, *payloads = event.values
        try:
            self._check_rate(sid)
            if len(payloads) > 1:
                raise RefusedMessage(ErrorCode.INVALID_MESSAGE, "an event has one payload")
            message = parse_message(name, payloads[0] if payloads else None, event.size)
            if isinstance(message, LoadingComplete) and connection is not None:
                self._excuse(connection, message)
            answer = self._handle(connection, message)
        except RefusedMessage as refused:
            self._log_refusal(sid, connection, name, refused)
            return _error(refused.code, refused.message)
        except UnknownRecord:
            return _error(ErrorCode.SESSION_OVER, "this session is over")
        except StoreError as error:
            if self._may_log(sid):
                log.error("message_postponed", event_name=str(name)[:64], error=str(error))
            return _error(ErrorCode.TRY_AGAIN, "the server could not do this now")
        except Exception:
            if self._may_log(sid):
                log.exception("message_failed", event_name=str(name)[:64])
            return _error(ErrorCode.INTERNAL_ERROR, "the server has a fault")
        return {"ok": True, **answer}

    def _loss(self, sid: str, reason: str) -> Loss:
        websocket = self._sockets.of(sid)
        if websocket is None:
            return Loss(sid, reason, None, LossCause.NETWORK_LOST)
        cause, silent_s = websocket.cause_of_end(reason), None
        if cause is LossCause.HEARTBEAT_MISSED:
            silent_s = self._core.clock.now() - websocket.answered_at
        return Loss(sid, reason, websocket.close_code, cause, silent_s)

    def _excuse(self, connection: Connection, message: LoadingComplete) -> None:
        """Take the PING of a page that could not answer while it loaded for a new one.

        Before the message is handled: to send anything to a page whose PING is too old makes
        Engine.IO drop it.
        """
        if self._sessions.is_loading(connection.session_id, message.attempt_id):
            self._emitter.excuse_ping(connection.sid)

    def _open(self, sid: str, environ: dict[str, Any], auth: ConnectAuth) -> None:
        """Begin or resume a session; a token that somebody has is never turned away for others."""
        if auth.token is None and not self._door.may_begin(environ):
            raise RefusedMessage(ErrorCode.RATE_LIMITED, "too many sessions from this address")
        try:
            self._sessions.open(sid, auth)
        except RefusedConnection as refused:
            unknown = refused.code == ErrorCode.SESSION_EXPIRED and not self._knows(auth.token)
            if unknown and not self._door.may_guess(environ):
                message = "too many unknown tokens from this address"
                raise RefusedMessage(ErrorCode.RATE_LIMITED, message) from None
            raise

    def _knows(self, token: str | None) -> bool:
        return token is not None and (
            self._core.store.session_id_of(credential_of(token)) is not None
        )

    def _check_connects(self, environ: dict[str, Any]) -> None:
        """Take a token of this WebSocket; its bucket is kept in its WSGI environment."""
        now = self._core.clock.now()
        bucket = TokenBucket(CONNECTS_PER_S, CONNECTS_BURST, now)
        if not environ.setdefault("grace.connects", bucket).take(now):
            raise RefusedMessage(ErrorCode.RATE_LIMITED, "too many connections")

    def _check_rate(self, sid: str) -> None:
        bucket = self._buckets.get(sid)
        if bucket is not None and not bucket.take(self._core.clock.now()):
            raise RefusedMessage(ErrorCode.RATE_LIMITED, "too many messages")

    def _log_refusal(
        self, sid: str, connection: Connection | None, event: object, refused: RefusedMessage
    ) -> None:
        if self._may_log(sid):
            log.warning(
                "message_refused",
                session_id=None if connection is None else connection.session_id,
                event_name=str(event)[:64],
                code=str(refused.code),
                message=refused.message,
            )

    def _may_log(self, sid: str) -> bool:
        if sid not in self._buckets:
            # It ended while its event was handled, and nobody would forget it again.
            return False
        now = self._core.clock.now()
        bucket = self._logged.setdefault(sid, TokenBucket(LOGGED_PER_S, LOGGED_BURST, now))
        return bucket.take(now)

    def _handle(self, connection: Connection | None, message: ClientMessage) -> Answer:
        if connection is None:
            raise RefusedMessage(ErrorCode.SESSION_OVER, "this connection has no session")
        if not self._core.connections.is_current(connection):
            raise RefusedMessage(
                ErrorCode.SESSION_TAKEN_OVER, "this session goes on in another connection"
            )
        return self._routes[type(message)](connection.session_id, message)

    def _player_ready(self, session_id: str, message: PlayerReady) -> Answer:
        return self._with_session(self._games.player_ready)(session_id, message)

    def _player_action(self, session_id: str, message: PlayerAction) -> Answer:
        self._games.player_action(session_id, message)
        return {}

    def _with_session(self, use_case: Callable[[Any, Any], Answer]) -> Callable[[str, Any], Answer]:
        def handle(session_id: str, message: Any) -> Answer:
            session = self._core.store.session(session_id)
            if session is None or session.link.state is LinkState.GONE:
                raise UnknownRecord(session_id)
            return use_case(session, message)

        return handle


def _error(code: str, message: str) -> Answer:
    return {"ok": False, "error": {"code": str(code), "message": message}}


def _refusal(code: str, message: str, **details: Any) -> ConnectionRefusedError:
    # Socket.IO's client reads `message` and `data` of connect_error; the first argument becomes
    # the message, the rest the data (python-socketio, exceptions.ConnectionRefusedError).
    return ConnectionRefusedError(message, {"code": str(code), "message": message, **details})
