"""A process knows its open WebSockets: by session, who owes a PONG, and who has no session."""

from app.clock import ManualClock
from app.protocol import ServerEvent
from app.sockets.register import UNBOUND_S, Sockets
from app.sockets.transport import ENVIRON_KEY
from unit.fakes.websocket import FakeWebSocket


def test_a_connection_without_a_session_is_closed(sockets: Sockets, clock: ManualClock) -> None:
    """It has UNBOUND_S from its beginning, which is under the ten seconds of the design."""
    websocket = FakeWebSocket(sockets)
    sockets.reap(clock.now() + UNBOUND_S - 0.01)
    assert not websocket.aborted
    sockets.reap(clock.now() + UNBOUND_S)
    assert websocket.aborted
    assert UNBOUND_S < 10


def test_a_connection_with_a_session_stays(sockets: Sockets, clock: ManualClock) -> None:
    """However long it lasts."""
    websocket = FakeWebSocket(sockets)
    sockets.bind(websocket.environ, "sid_1")
    sockets.reap(clock.now() + 1e6)
    assert not websocket.aborted


def test_a_connection_that_is_released_is_closed(sockets: Sockets, clock: ManualClock) -> None:
    """Once its session is over it has the time that it is given, or UNBOUND_S."""
    websockets = [FakeWebSocket(sockets) for _ in range(2)]
    for number, websocket in enumerate(websockets):
        sockets.bind(websocket.environ, f"sid_{number}")
    clock.advance(1000)
    sockets.release("sid_0")
    sockets.release("sid_1", within_s=2.0)
    sockets.reap(clock.now() + 1.99)
    assert [one.aborted for one in websockets] == [False, False]
    sockets.reap(clock.now() + 2.0)
    assert [one.aborted for one in websockets] == [False, True]
    sockets.reap(clock.now() + UNBOUND_S)
    assert [one.aborted for one in websockets] == [True, True]


def test_a_session_that_did_not_begin_leaves_nothing(sockets: Sockets, clock: ManualClock) -> None:
    """The connection has no more time than if it had never asked for a session."""
    websocket = FakeWebSocket(sockets)
    clock.advance(UNBOUND_S - 1.0)
    sockets.bind(websocket.environ, "sid_1")
    sockets.unbind("sid_1")
    assert (websocket.sid, sockets.of("sid_1")) == (None, None)
    sockets.reap(clock.now() + 0.99)
    assert not websocket.aborted
    sockets.reap(clock.now() + 1.0)
    assert websocket.aborted


def test_a_connection_is_found_by_its_last_session_only(sockets: Sockets) -> None:
    """A page may leave and come again on one WebSocket; the end of the first is not its end."""
    websocket = FakeWebSocket(sockets)
    sockets.bind(websocket.environ, "sid_1")
    sockets.bind(websocket.environ, "sid_2")
    assert (sockets.of("sid_1"), sockets.of("sid_2")) == (None, websocket)
    sockets.release("sid_1", within_s=0.0)
    sockets.unbind("sid_1")
    sockets.reap(0.0)
    assert websocket.sid == "sid_2"
    assert not websocket.aborted


def test_a_session_inherits_no_load(sockets: Sockets, clock: ManualClock) -> None:
    """Of another one, which was on the same WebSocket before: no excuse, and nothing held back."""
    websocket = FakeWebSocket(sockets)
    told: list[object] = []
    sockets.speaker = lambda *given: told.append(given)
    sockets.bind(websocket.environ, "sid_1")
    sockets.follow_load("sid_1", clock.now() + 60.0)
    websocket.held.add(ServerEvent.WAITING_ROOM, {}, clock.now())
    sockets.bind(websocket.environ, "sid_2")
    assert (websocket.loads, websocket.excused_until) == (False, float("-inf"))
    sockets.follow_load("sid_2", clock.now() + 60.0)
    sockets.follow_load("sid_2", None)
    assert told == []


def test_what_is_forgotten_is_not_reaped(sockets: Sockets, clock: ManualClock) -> None:
    """A connection that ended is nobody's business any more; forgetting twice is no error."""
    websocket = FakeWebSocket(sockets)
    sockets.remove(websocket)
    sockets.remove(websocket)
    sockets.reap(clock.now() + 1e6)
    assert not websocket.aborted
    assert len(sockets) == 0


def test_who_is_not_here_is_no_error(sockets: Sockets) -> None:
    """As when the handshake failed: there is nothing to bind, to release or to end."""
    for environ in ({}, {ENVIRON_KEY: "something else"}):
        sockets.bind(environ, "sid_1")
        assert sockets.of("sid_1") is None
    sockets.release("sid_1")
    sockets.unbind("sid_1")
    sockets.follow_load("sid_1", 1.0)
    assert sockets.excuse("sid_1") == 0.0


def test_an_answer_is_owed_from_the_ping_on(sockets: Sockets, clock: ManualClock) -> None:
    """By a connection that has or had a session, until it answers or ends."""
    websocket = FakeWebSocket(sockets)
    sockets.asked(websocket)
    assert sockets.owing() == {}
    sockets.bind(websocket.environ, "sid_1")
    assert sockets.owing() == {"sid_1": clock.now()}
    sockets.answered(websocket)
    assert sockets.owing() == {}
    sockets.asked(websocket)
    sockets.release("sid_1")
    assert list(sockets.owing()) == ["sid_1"]
    sockets.bind(websocket.environ, "sid_2")
    assert list(sockets.owing()) == ["sid_2"]
    sockets.remove(websocket)
    assert sockets.owing() == {}


def test_who_is_excused_owes_from_now_on(sockets: Sockets, clock: ManualClock) -> None:
    """Twice is no error, and who owes nothing is excused nothing."""
    websocket = FakeWebSocket(sockets)
    sockets.bind(websocket.environ, "sid_1")
    assert sockets.excuse("sid_1") == 0.0
    assert sockets.owing() == {}
    sockets.asked(websocket)
    clock.advance(25.0)
    assert sockets.excuse("sid_1") == 25.0
    assert sockets.excuse("sid_1") == 0.0
    assert sockets.owing() == {"sid_1": clock.now()}
