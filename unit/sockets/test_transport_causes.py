"""Each connection knows what ended it, whoever did."""

import engineio
import gevent
import pytest

from app.clock import ManualClock
from app.sessions import LossCause
from app.sockets.register import Sockets
from app.sockets.transport import GraceWebSocket
from app.sockets.websocket import PING_FRAME
from unit.sockets.connection import SID, Connection
from unit.sockets.wire import PATIENCE_S, Browser, frame

CLOSED, TIMEOUT, CLIENT = "transport close", "ping timeout", "client disconnect"


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (1001, LossCause.PAGE_CLOSED),
        (1000, LossCause.PAGE_DISCONNECTED),
        (4000, LossCause.PAGE_DISCONNECTED),
        (None, LossCause.PAGE_DISCONNECTED),
    ],
)
def test_a_close_frame_is_the_browsers_word(
    connection: Connection, code: int | None, cause: LossCause
) -> None:
    """1001, and no other, says that the page goes away; without a code, too, it ended this one."""
    connection.browser.wire.arrive(frame(0x88, b"" if code is None else code.to_bytes(2)))
    assert connection.told() is None
    assert connection.end.cause_of_end(CLOSED) is cause


@pytest.mark.parametrize("error", [None, ConnectionResetError("reset"), TimeoutError("timeout")])
def test_a_stream_that_ends_is_a_lost_network(
    connection: Connection, error: Exception | None
) -> None:
    """Nobody has said anything."""
    connection.browser.vanish(error)
    assert connection.told() is None
    assert connection.end.cause_of_end(CLOSED) is LossCause.NETWORK_LOST


@pytest.mark.parametrize("packet", ["1", "41"])
def test_a_page_may_end_its_connection(connection: Connection, packet: str) -> None:
    """By Engine.IO's or Socket.IO's word for it; then the reason says so."""
    connection.browser.say(packet)
    assert connection.told() == packet
    assert connection.end.cause_of_end(CLIENT) is LossCause.PAGE_DISCONNECTED


@pytest.mark.parametrize("message", ["x", "42[", '40{"again":1}'])
def test_nonsense_is_ended_by_the_server(connection: Connection, message: str) -> None:
    """Also while the page owes a heartbeat, and when engineio closes what it has."""
    connection.end.send("2")
    connection.browser.say(message)
    assert connection.told() is None
    connection.end.close()
    assert connection.end.cause_of_end(CLOSED) is LossCause.SERVER_CLOSED


@pytest.mark.parametrize(
    "sent",
    [
        frame(0x83, b""),
        frame(0x88, (1006).to_bytes(2)),
        frame(0x81, b"\xff"),
        frame(0x82, b"long" * 300_000),
    ],
    ids=["opcode", "a code that nobody may send", "no UTF-8", "too long"],
)
def test_what_is_not_allowed_is_ended_by_the_server(connection: Connection, sent: bytes) -> None:
    """It is neither the page's word nor the network's fault."""
    connection.browser.wire.arrive(sent)
    assert connection.told() is None
    assert connection.end.cause_of_end(CLOSED) is LossCause.SERVER_CLOSED


def test_engineios_heartbeat_is_one(connection: Connection) -> None:
    """Whether it says so, or its writer gives up on a page that it has no PING for."""
    assert connection.end.cause_of_end(TIMEOUT) is LossCause.HEARTBEAT_MISSED
    connection.end.send("2")
    connection.end.close()
    assert connection.end.cause_of_end(CLOSED) is LossCause.HEARTBEAT_MISSED


def test_a_close_that_owes_nothing_is_the_servers(connection: Connection) -> None:
    """As when it turns somebody away."""
    connection.end.close()
    assert connection.end.cause_of_end(CLOSED) is LossCause.SERVER_CLOSED


def test_what_cannot_be_sent_is_a_lost_network(connection: Connection) -> None:
    """The writer, which finds out first, then closes what the reader still reads from."""
    wire = connection.browser.wire
    wire.closed = True
    with pytest.raises(OSError, match="closed"):
        connection.end.send("2")
    connection.end.close()
    assert connection.end.cause_of_end(CLOSED) is LossCause.NETWORK_LOST


def test_the_browsers_last_word_goes_before_everything(connection: Connection) -> None:
    """Also where something could not be sent to a page that had said that it goes away."""
    connection.browser.close(1001)
    assert connection.told() is None
    connection.end.lost_by = LossCause.SERVER_CLOSED
    assert connection.end.cause_of_end(CLOSED) is LossCause.PAGE_CLOSED


def test_the_first_cause_counts(connection: Connection) -> None:
    """What follows from it is none."""
    connection.end.lose(LossCause.HEARTBEAT_MISSED)
    assert connection.told() is None
    connection.end.lose(LossCause.NETWORK_LOST)
    connection.end.close()
    assert connection.end.cause_of_end(CLOSED) is LossCause.HEARTBEAT_MISSED


def test_a_close_that_follows_is_no_cause(connection: Connection) -> None:
    """As when engineio's writer closes what the reader has found to be nonsense."""
    connection.end.send("2")
    connection.end.lost_by = LossCause.SERVER_CLOSED
    connection.end.close()
    assert connection.end.cause_of_end(CLOSED) is LossCause.SERVER_CLOSED


def test_a_ping_goes_out_and_its_answer_is_a_sign(connection: Connection) -> None:
    """A frozen page's browser answers it; nobody above hears of that."""
    connection.end.ping()
    assert connection.end.is_silent
    assert connection.browser.wire.sent.endswith(PING_FRAME)
    connection.browser.wire.arrive(frame(0x8A, b""))
    connection.browser.say("3")
    assert connection.told() == "3"
    assert not connection.end.is_silent


def test_nobody_is_silent_whose_packet_is_being_handled(
    eio: engineio.Server, sockets: Sockets
) -> None:
    """From the moment engineio has it until it waits again; a CONNECT has to be stored."""
    seen: list[bool] = []

    def handle(websocket: GraceWebSocket) -> list[bytes]:
        websocket.ping()
        seen.append(websocket.is_silent)
        while websocket.wait() is not None:
            websocket.ping()
            seen.append(websocket.is_silent)
        return []

    browser = Browser()
    task = gevent.spawn(eio._async["websocket"](handle, eio), browser.environ, lambda *_: None)
    gevent.idle()
    browser.say("40")
    gevent.idle()
    (waiting,) = sockets
    assert seen == [True, False]
    assert waiting.is_silent
    browser.vanish()
    task.get(timeout=PATIENCE_S)


def test_a_page_whose_browser_answers_is_busy(connection: Connection, sockets: Sockets) -> None:
    """It owes a PONG, and something came since the PING was sent."""
    connection.end.send("2")
    assert not connection.end.is_busy
    connection.end.probe()
    connection.end.probe()
    assert connection.browser.wire.sent.count(PING_FRAME) == 1
    connection.browser.wire.arrive(frame(0x8A, b""))
    gevent.idle()
    assert connection.end.is_busy
    assert list(sockets.busy()) == [SID]
    connection.browser.say("3")
    connection.told()
    assert not connection.end.is_busy


def test_turns_go_round(sockets: Sockets, clock: ManualClock, connection: Connection) -> None:
    """Whose last turn is longest ago is next, and not before its time."""
    opened_at = clock.now()
    clock.advance(5.0)
    assert sockets.take_turn(opened_at - 0.1) is None
    assert sockets.take_turn(opened_at) is connection.end
    assert sockets.take_turn(opened_at) is None
    assert sockets.take_turn(clock.now()) is connection.end
