"""A server without a network: the real services and handlers, joined as `app.joined` joins them.

What is not real is named: the store is in memory, the clock is moved by the test, and the outbox
and the WebSockets only keep what happens to them.
"""

import json
from itertools import count
from typing import Any

from socketio.exceptions import ConnectionRefusedError

from app.clock import ManualClock
from app.services.busy import BusyPages
from app.services.core import Core
from app.services.delivery import prepare_delivery
from app.services.games import GameService
from app.services.inbox import LossInbox
from app.services.performer import Performer
from app.services.restart import recover
from app.services.sessions import SessionService
from app.services.study_files import LoadedStudy
from app.services.sweeper import Sweeper
from app.services.waiting import WaitingService
from app.sessions import Session
from app.settings import load_settings
from app.sockets.handlers import Handlers
from app.sockets.packets import PageEvent, read_packet
from app.sockets.register import Sockets
from app.sockets.watch import Watch
from app.stores.base import Store
from app.stores.sqlite import SqliteStore
from app.studies import Stager
from unit.fakes.outbox import FakeOutbox
from unit.fakes.participant import Participant
from unit.fakes.studies import one_game
from unit.fakes.websocket import FakeWebSocket

TICK_S = 1.0
"""How far the clock moves between two sweeps, in seconds."""

_numbers = count(1)


class World:
    """A server in one object.

    Args:
        study: what is served; by default a game for two, a text and the end.
        clock: moved by `advance`.
        store: by default one in memory.
        settings: as given on a command line, by field name.
    """

    def __init__(
        self,
        study: LoadedStudy | None = None,
        *,
        clock: ManualClock | None = None,
        store: Store | None = None,
        **settings: Any,
    ) -> None:
        self.clock = clock or ManualClock()
        self.store = store or SqliteStore(":memory:", sleep=self.clock.sleep)
        self.settings = load_settings(settings)
        self.sockets = Sockets(self.clock.now)
        self.outbox = FakeOutbox(self.sockets)
        served = study or one_game()
        self.core = Core(
            settings=self.settings,
            clock=self.clock,
            store=self.store,
            study=served,
            stager=Stager(served.study),
            outbox=self.outbox,
            delivery=prepare_delivery(served),
        )
        self.games = GameService(self.core)
        self.sessions = SessionService(self.core, self.games)
        self.waiting = WaitingService(self.core, self.games)
        self.sweeper = Sweeper(self.core, self.sessions, self.games)
        self.watch = Watch(
            self.sockets,
            self.clock,
            presence_ping_s=self.settings.presence_ping_s,
            ping_timeout_s=self.settings.ping_timeout_s,
        )
        self.sweeper.chores += [self.sockets.reap, BusyPages(self.core, self.sockets.busy).look]
        self.core.effects.perform = Performer(
            self.core, self.sessions, self.games, self.waiting, self.sweeper
        ).perform
        self.inbox = LossInbox(self.sessions, self.clock)
        # Of their emitter the handlers use only what the fake has too.
        emitter: Any = self.outbox
        self.handlers = Handlers(
            self.core, self.sessions, self.games, self.inbox, self.sockets, emitter
        )
        self.websockets: dict[str, FakeWebSocket] = {}
        recover(self.core, self.games)

    def connect(self, page_id: str | None = None, **auth: Any) -> Participant:
        """Connect a page; without `token` a new session begins.

        Args:
            page_id: the page's id; by default a new one, so a new page.
            auth: the rest of the `auth` payload of CONNECT.

        Raises:
            ConnectionRefusedError: as Flask-SocketIO's, with the code in its `error_args`.
        """
        page_id = page_id or f"page_{next(_numbers):04}"
        return self._connect(page_id, {"page_id": page_id, **auth})

    def connect_nameless(self, **auth: Any) -> Participant:
        """Connect a client that gives its pages no id."""
        return self._connect("", auth)

    def _connect(self, page_id: str, auth: dict[str, Any]) -> Participant:
        sid = f"sid_{next(_numbers)}"
        self.websockets[sid] = FakeWebSocket(self.sockets)
        self.outbox.open.add(sid)
        try:
            self.handlers.on_connect(sid, self.websockets[sid].environ, auth)
        except ConnectionRefusedError:
            self.outbox.open.discard(sid)
            raise
        return Participant(self, sid, page_id, self.outbox.heard(sid)[0])

    def refusal(self, page_id: str | None = None, **auth: Any) -> str:
        """The code with which a CONNECT is refused."""
        try:
            self.connect(page_id, **auth)
        except ConnectionRefusedError as refused:
            code: str = refused.error_args["data"]["code"]
            return code
        raise AssertionError("the connection was accepted")

    def disconnect(
        self, sid: str, close_code: int | None = None, reason: str = "transport close"
    ) -> None:
        """End a connection as Engine.IO does: the handler runs, and nothing else yet."""
        self.outbox.open.discard(sid)
        websocket = self.websockets.pop(sid)
        websocket.close_code = close_code
        self.handlers.on_disconnect(sid, reason)
        self.sockets.remove(websocket)

    def lose(
        self, sid: str, close_code: int | None = None, reason: str = "transport close"
    ) -> None:
        """End a connection, and let the server take notice: inbox, then sweeper."""
        self.disconnect(sid, close_code, reason)
        self.inbox.drain()
        self.sweeper.sweep()

    def say(self, sid: str, event: str, payload: object = None) -> dict[str, Any]:
        """Send a message, and return its acknowledgement; a fault of the server is raised."""
        packet = read_packet(f"42{json.dumps([event, payload])}")
        assert isinstance(packet, PageEvent)
        answer = self.handlers.answer(sid, packet)
        assert answer["ok"] or answer["error"]["code"] != "internal_error", answer
        return answer

    def ping(self, sid: str) -> None:
        """Send a page a PING of the heartbeat, which it owes the answer to from now on."""
        self.sockets.asked(self.websockets[sid])

    def pong(self, sid: str) -> None:
        """Let a page answer the heartbeat."""
        self.sockets.answered(self.websockets[sid])

    def advance(self, seconds: float) -> None:
        """Let time pass, with a sweep every TICK_S seconds; what the server closed is lost then."""
        end = self.clock.now() + seconds
        while True:
            for sid in self._closed_by_the_server():
                self.disconnect(sid)
            self.inbox.drain()
            self.watch.look(self.clock.now())
            self.sweeper.sweep()
            if self.clock.now() >= end:
                return
            self.clock.advance(min(TICK_S, end - self.clock.now()))

    def restart(self, down_s: float = 0.0, study: LoadedStudy | None = None) -> "World":
        """Another server on the same store and clock, `down_s` seconds after this one died."""
        self.clock.advance(down_s)
        given = self.settings.model_dump(exclude_unset=True)
        return World(study or self.core.study, clock=self.clock, store=self.store, **given)

    def session(self, session_id: str) -> Session:
        """The session of that id, as it is stored."""
        session = self.store.session(session_id)
        assert session is not None, f"{session_id} was pruned"
        return session

    def log(self, event: str | None = None, **fields: Any) -> list[dict[str, Any]]:
        """The entries of the log, those of one event, and those with these fields."""
        return [
            entry
            for entry in self.store.events()
            if event in (None, entry["event"])
            and all(entry.get(name) == value for name, value in fields.items())
        ]

    def _closed_by_the_server(self) -> list[str]:
        return [
            sid
            for sid, websocket in self.websockets.items()
            if sid in self.outbox.closed or (websocket.aborted and sid in self.outbox.open)
        ]
