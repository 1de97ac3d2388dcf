"""A page that talks to the joined server through the real Socket.IO and Engine.IO, without a wire.

What the page says goes in where the WebSocket hands over an event, or Engine.IO a packet. Its
WebSocket takes nothing at once, so all that it hears is taken out of the queue from which Engine.IO
would write to it.
"""

import json
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import engineio
from engineio.packet import MESSAGE
from engineio.packet import Packet as EnginePacket
from engineio.socket import Socket as EngineSocket
from socketio.packet import ACK, CONNECT, CONNECT_ERROR, EVENT, Packet
from werkzeug.test import EnvironBuilder

from app import create_app
from app.clock import ManualClock
from app.joined import Grace
from app.services.study_files import LoadedStudy
from app.settings import load_settings
from app.sockets.handlers import Handlers
from app.sockets.packets import PageEvent, read_packet
from app.sockets.transport import ENVIRON_KEY
from app.stores.sqlite import SqliteStore
from unit.fakes.studies import one_game
from unit.fakes.websocket import FakeWebSocket

PAGE = {"page_id": "page_0001"}
"""What a page says at its CONNECT."""

_numbers = count(1)


class JoinedServer:
    """The whole application on a store in memory and a clock that the test moves; nothing runs.

    Args:
        study: what is served; by default a game for two, a text and the end.
        settings: as given on a command line, by field name.
    """

    def __init__(self, study: LoadedStudy | None = None, **settings: Any) -> None:
        self.clock = ManualClock()
        self.store = SqliteStore(":memory:", sleep=self.clock.sleep)
        self.study = study or one_game()
        self.app = create_app(
            load_settings(settings), clock=self.clock, store=self.store, study=self.study
        )
        self.grace: Grace = self.app.extensions["grace"]
        self.sio: Any = self.grace.socketio.server
        self.eio: engineio.Server = self.sio.eio
        self.http = self.app.test_client()
        self.sockets = self.grace.sockets
        self.handlers: Handlers = self.sio.handlers["/"]["connect"].__self__

    def page(self, auth: Any = None) -> "Page":
        """A page whose CONNECT was accepted."""
        page = Page(self)
        page.connect(auth)
        assert page.accepted, page.refusals
        page.opened = page.heard("session_opened")[0]
        return page

    def kept(self) -> list[object]:
        """Everything that the store holds, to be compared."""
        return [self.store.sessions(), self.store.games(), self.store.events()]


@dataclass(slots=True)
class Page:
    """One WebSocket to the server, with the packets that came over it.

    Attributes:
        order: the names of what arrived, in order: events, "CONNECT" and "CONNECT_ERROR".
        refusals: the data of every CONNECT_ERROR.
        opened: the payload of `session_opened`.
    """

    server: JoinedServer
    order: list[str] = field(default_factory=list)
    refusals: list[Any] = field(default_factory=list)
    opened: dict[str, Any] = field(default_factory=dict)
    events: list[tuple[str, Any]] = field(default_factory=list)
    acks: dict[int, Any] = field(default_factory=dict)
    websocket: FakeWebSocket = field(init=False)
    environ: dict[str, Any] = field(init=False)
    engine: Any = field(init=False)

    def __post_init__(self) -> None:
        """Open the Engine.IO connection."""
        eio = self.server.eio
        self.engine = EngineSocket(eio, f"eio_{next(_numbers)}")
        # No PING is due, or it would be taken for a page that was sent one long ago.
        self.engine.last_ping = None
        self.engine.connected = self.engine.upgraded = True
        eio.sockets[self.engine.sid] = self.engine
        self.websocket = FakeWebSocket(self.server.sockets)
        self.environ = EnvironBuilder(path="/socket.io/").get_environ()
        self.environ.update({"flask.app": self.server.app, ENVIRON_KEY: self.websocket})
        eio._trigger_event("connect", self.engine.sid, self.environ)

    @property
    def sid(self) -> str:
        """The Socket.IO connection's id."""
        sid: str = self.server.sio.manager.sid_from_eio_sid(self.engine.sid, "/")
        return sid

    @property
    def accepted(self) -> bool:
        """Whether a CONNECT was accepted."""
        return "CONNECT" in self.order

    @property
    def session_id(self) -> str:
        """The id of the session."""
        return str(self.opened["session_id"])

    def connect(self, auth: Any = None) -> None:
        """Send a CONNECT packet."""
        self.send(Packet(CONNECT, auth, namespace="/").encode())

    def say(self, event: Any, *payload: Any) -> Any:
        """Send an event, and return what it was acknowledged with; None without an answer."""
        number = next(_numbers)
        self.send(f"{EVENT}{number}{json.dumps([event, *payload])}")
        return self.acks.pop(number, None)

    def send(self, text: str) -> None:
        """Let the listener take an event and Engine.IO everything else; read what is sent."""
        packet = read_packet(f"4{text}")
        if isinstance(packet, PageEvent) and self.websocket.sid is not None:
            self.server.sockets.listener(self.websocket.sid, packet)
        else:
            self.engine.receive(EnginePacket(MESSAGE, text))
        self.read()

    def read(self) -> None:
        """Take what waits to be sent to this page."""
        while not self.engine.queue.empty():
            packet = self.engine.queue.get_nowait()
            if packet is None or packet.packet_type != MESSAGE:
                continue
            message = Packet(encoded_packet=packet.data)
            if message.packet_type == EVENT:
                name, payload = message.data
                self.order.append(name)
                self.events.append((name, payload))
            elif message.packet_type == ACK:
                self.acks[message.id] = message.data[0] if message.data else None
            elif message.packet_type == CONNECT_ERROR:
                self.order.append("CONNECT_ERROR")
                self.refusals.append(message.data)
            elif message.packet_type == CONNECT:
                self.order.append("CONNECT")

    def heard(self, event: str) -> list[Any]:
        """The payloads of that event, in order."""
        self.read()
        return [payload for name, payload in self.events if name == event]

    def end(self, reason: str = "transport close") -> None:
        """The WebSocket ends."""
        self.engine.close(wait=False, abort=True, reason=reason)
