"""Use cases of one session: it opens, is lost, loads, waits, goes on, leaves."""

import contextlib
import hashlib
import secrets
from collections.abc import Callable
from typing import Any

from app.errors import IllegalTransition, RefusedConnection, RefusedMessage, UnknownRecord
from app.protocol import (
    AdvanceScene,
    ConnectAuth,
    ErrorCode,
    LoadingComplete,
    LoadingProgress,
    LoadingStart,
    RuntimeRestated,
    ServerEvent,
)
from app.services.connections import Connection
from app.services.core import Core
from app.services.games import GameService
from app.services.views import scene_payload
from app.sessions import (
    LinkState,
    Session,
    Step,
    WhyGone,
    advance,
    excused_until,
    open_session,
)
from app.sessions.events import (
    ConnectionLost,
    DeadlinePassed,
    LeaveRequested,
    LoadingEnded,
    LoadingStarted,
    PageConnected,
    QueueJoined,
    Restated,
    SceneEntered,
    SessionEvent,
    StageReached,
)
from app.sessions.models import RuntimeState
from app.stores.base import Due, LogEntry
from app.studies import End, Game, StagerState

TOKEN_BYTES = 32


def credential_of(token: str) -> str:
    """What is stored of a token: its SHA-256, so that the store's file is worth no session.

    A plain hash suffices because the token is random and long (NIST SP 800-63B, look-up secrets).
    """
    return hashlib.sha256(token.encode()).hexdigest()


class SessionService:
    """Opens sessions and feeds them what happens."""

    def __init__(self, core: Core, games: GameService) -> None:
        self._core = core
        self._games = games

    def open(self, sid: str, auth: ConnectAuth) -> Session:
        """Begin or resume the session of a connection, and send it `session_opened`.

        Raises:
            RefusedConnection: with the code that the page is told.
        """
        if self._core.stopping:
            raise RefusedConnection(ErrorCode.SERVER_STOPPING, "the server is stopping")
        if auth.study is not None and auth.study != self._core.study_id:
            raise RefusedConnection(ErrorCode.UNKNOWN_STUDY, "this study is not served here")
        page_id = auth.page_id or secrets.token_urlsafe(12)
        if auth.token is None:
            token = secrets.token_urlsafe(TOKEN_BYTES)
            step = self._begin(auth, page_id, token)
        else:
            token = auth.token
            step = self._resume(auth, page_id, token)
        session = step.session
        if session is None:
            raise RefusedConnection(ErrorCode.SESSION_EXPIRED, "this session is over")
        self._core.connections.bind(Connection(sid, session.id, session.epoch))
        self._follow_load(session)
        self._core.outbox.emit(
            sid, ServerEvent.SESSION_OPENED, self._opened_payload(session, token, auth.last_frame)
        )
        self._games.tell_partners_to(session)
        self._core.effects.push(session.id, step.effects)
        return session

    def _begin(self, auth: ConnectAuth, page_id: str, token: str) -> Step:
        now = self._core.clock.now()
        step = open_session(
            session_id="s_" + secrets.token_urlsafe(12),
            study=self._core.study_id,
            participant=auth.participant,
            page_id=page_id,
            scene=self._core.stager.start(),
            runtime=_restated(auth.runtime),
            now=now,
            policy=self._core.policy,
        )
        session = step.session
        assert session is not None  # noqa: S101 - a new session exists
        entries = [
            LogEntry(now, session.id, record.event, record.fields) for record in step.records
        ]
        self._core.store.create(session, credential_of(token), entries)
        return step

    def _resume(self, auth: ConnectAuth, page_id: str, token: str) -> Step:
        session_id = self._core.store.session_id_of(credential_of(token))
        expired = RefusedConnection(ErrorCode.SESSION_EXPIRED, "this session is over")
        if session_id is None:
            raise expired
        event = PageConnected(page_id, _restated(auth.runtime))
        now = self._core.clock.now()

        def decide(session: Session) -> Step:
            if session.study != self._core.study_id:
                raise RefusedConnection(
                    ErrorCode.UNKNOWN_STUDY, "this session belongs to another study"
                )
            if session.link.why is WhyGone.FINISHED and self._core.stager.knows(session.scene):
                # The end scene may have been lost on its way, and with it a completion code.
                end = self._scene(session.scene)
                raise RefusedConnection(expired.code, "this study is finished", scene=end)
            if session.link.state is LinkState.GONE:
                raise expired
            if page_id in session.replaced_pages:
                raise RefusedConnection(
                    ErrorCode.SESSION_TAKEN_OVER, "this session goes on in another page"
                )
            if not self._core.stager.knows(session.scene):
                # The study was changed meanwhile; there is no way on from where they are.
                return advance(session, LeaveRequested(), now, self._core.policy)
            return advance(session, event, now, self._core.policy)

        try:
            step = self._core.store.change(session_id, now, decide)
        except UnknownRecord:
            raise expired from None
        if step.session is None or step.session.link.state is LinkState.GONE:
            self._core.effects.push(session_id, step.effects)
            raise expired
        return step

    def _opened_payload(
        self, session: Session, token: str, last_frame: int | None
    ) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "session_id": session.id,
            "token": token,
            "epoch": session.epoch,
            "resumed": session.epoch > 1,
            "link": session.link.state.value,
            "runtime": session.runtime.state.value,
            "place": session.place.state.value,
            "scene": self._scene(session.scene),
        }
        if self._core.settings.heartbeat == "presence":
            payload["heartbeat_timeout_s"] = self._core.settings.page_patience_s
        game = self._games.resume_payload(session, last_frame)
        if game is not None:
            payload["game"] = game
        return payload

    def connection_lost(self, sid: str, event_of: Callable[[int], ConnectionLost]) -> None:
        """A connection ended; if it was the session's current one, its grace begins.

        Args:
            sid: the connection.
            event_of: makes the event, given the connection's epoch.

        It is forgotten only after that is saved, so a store that failed can be tried again.
        """
        connection = self._core.connections.of_sid(sid)
        if connection is None or self._core.stopping:
            return
        with contextlib.suppress(UnknownRecord):
            self._apply(connection.session_id, event_of(connection.epoch))
        self._core.connections.drop(sid)

    def deadline_passed(self, due: Due) -> None:
        """The sweeper found a session's deadline to be due."""
        with contextlib.suppress(UnknownRecord):
            self._apply(due.id, DeadlinePassed(due.deadline, due.epoch))

    def loading_started(self, session_id: str, message: LoadingStart) -> dict[str, Any]:
        """`pyodide_loading_start`; answers how long the grace of this load lasts."""
        event = LoadingStarted(message.attempt_id, message.path, message.runtime)
        return self._loading_answer(self._apply(session_id, event))

    def loading_progressed(self, session_id: str, message: LoadingProgress) -> dict[str, Any]:
        """`pyodide_loading_progress`; answers how long the grace lasts from this stage on."""
        event = StageReached(message.attempt_id, message.stage)
        return self._loading_answer(self._apply(session_id, event))

    def loading_completed(self, session_id: str, message: LoadingComplete) -> dict[str, Any]:
        """`pyodide_loading_complete`, with success or error."""
        report = message.report.model_dump(exclude_none=True) if message.report else None
        self._apply(session_id, LoadingEnded(message.attempt_id, message.error, report))
        return {}

    def is_loading(self, session_id: str, attempt_id: str) -> bool:
        """Whether this attempt is the load that is under way."""
        session = self._core.store.session(session_id)
        loading = None if session is None else session.runtime.loading
        return loading is not None and loading.attempt_id == attempt_id

    def _loading_answer(self, session: Session) -> dict[str, Any]:
        loading = session.runtime.loading
        left = 0.0 if loading is None else max(0.0, loading.deadline - self._core.clock.now())
        return {"deadline_in_s": round(left, 3)}

    def join_game(self, session_id: str) -> dict[str, Any]:
        """`join_game`: queue for the current scene's game."""
        session = self._load(session_id)
        scene = self._core.stager.scene(session.scene)
        if not isinstance(scene, Game):
            raise RefusedMessage(ErrorCode.OUT_OF_TURN, "the current scene is not a game")
        if session.scene.done:
            raise RefusedMessage(ErrorCode.OUT_OF_TURN, "this game has been played")
        self._apply(session_id, QueueJoined(scene.waiting_timeout_s))
        return {"place": self._load(session_id).place.state.value}

    def advance_scene(self, session_id: str, message: AdvanceScene) -> dict[str, Any]:
        """`advance_scene`: leave the scene named; nothing happens when it was left before."""
        session = self._load(session_id)
        if message.scene_id == session.scene.scene_id:
            scene = self._core.stager.scene(session.scene)
            if isinstance(scene, Game) and not session.scene.done:
                raise RefusedMessage(ErrorCode.OUT_OF_TURN, "this game has not been played")
            following = self._core.stager.advance(session.scene, message.scene_id)
            if following != session.scene:
                session = self._enter(session_id, following)
        return {"scene_id": session.scene.scene_id}

    def show_next_scene(self, session_id: str, scene_id: str) -> None:
        """Lead a session on from a game scene in which nobody was found to play with."""
        session = self._load(session_id)
        following = self._core.stager.advance(session.scene, scene_id, leave_unplayed=True)
        if following == session.scene:
            # A study may end with a game; then that one counts as played.
            following = self._core.stager.complete(session.scene)
        self._enter(session_id, following)

    def leave(self, session_id: str) -> dict[str, Any]:
        """`leave`: the session ends at once."""
        self._apply(session_id, LeaveRequested())
        self._close_connection(session_id)
        return {}

    def _enter(self, session_id: str, scene: StagerState) -> Session:
        final = isinstance(self._core.stager.scene(scene), End)
        session = self._apply(session_id, SceneEntered(scene, final))
        self._core.tell(session_id, ServerEvent.SCENE_ACTIVATED, self._scene(scene))
        if final:
            self._close_connection(session_id)
        return session

    def _scene(self, state: StagerState) -> dict[str, Any]:
        return scene_payload(self._core.stager, state, self._core.delivery.environment_address)

    def _close_connection(self, session_id: str) -> None:
        connection = self._core.connections.current(session_id)
        if connection is not None:
            self._core.outbox.close(connection.sid)

    def _load(self, session_id: str) -> Session:
        session = self._core.store.session(session_id)
        if session is None:
            raise UnknownRecord(f"there is no session {session_id}")
        if session.link.state is LinkState.GONE:
            raise RefusedMessage(ErrorCode.SESSION_OVER, "this session is over")
        return session

    def _apply(self, session_id: str, event: SessionEvent) -> Session:
        """Load, decide, save, and perform; returns the session as it was saved.

        Raises:
            UnknownRecord: there is no such session.
            RefusedMessage: the session is over, or the event is out of turn.
        """
        now = self._core.clock.now()
        before: list[Session] = []

        def decide(session: Session) -> Step:
            before[:] = [session]
            return advance(session, event, now, self._core.policy)

        try:
            step = self._core.store.change(session_id, now, decide)
        except IllegalTransition as error:
            if before and before[0].link.state is LinkState.GONE:
                raise RefusedMessage(ErrorCode.SESSION_OVER, "this session is over") from error
            raise RefusedMessage(ErrorCode.OUT_OF_TURN, str(error)) from error
        if step.session is not None:
            self._follow_load(step.session)
        self._core.effects.push(session_id, step.effects)
        return step.session if step.session is not None else before[0]

    def _follow_load(self, session: Session) -> None:
        """Let the session's connection know whether its page loads."""
        connection = self._core.connections.current(session.id)
        if connection is not None and connection.epoch == session.epoch:
            until = excused_until(session, self._core.policy)
            self._core.outbox.follow_load(connection.sid, until)


def _restated(runtime: RuntimeRestated | None) -> Restated | None:
    if runtime is None:
        return None
    return Restated(RuntimeState(runtime.state), runtime.attempt_id, runtime.stage)
