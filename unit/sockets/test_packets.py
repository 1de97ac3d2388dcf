"""The text of packets is what Socket.IO's own code reads and writes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from socketio.packet import ACK, EVENT, Packet
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import TextMessage

from app.sockets.packets import (
    MAX_CONNECT_BRACKETS,
    PageEvent,
    ack_packet,
    event_packet,
    read_packet,
    text_frame,
)
from unit.protocol.payloads import ALONE
from unit.sockets.wire import DEEP

texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
).filter(lambda value: "Infinity" not in json.dumps(value))
payloads = st.dictionaries(texts, values, max_size=4)
numbers = st.integers(0, 10**15 - 1)


@given(texts, st.lists(values, max_size=2), st.none() | numbers, st.booleans())
def test_an_event_is_read(name: str, rest: list[object], number: int | None, plain: bool) -> None:
    """Its name, its payloads, its number and its size, in whatever way a page writes JSON."""
    ack_id = "" if number is None else str(number)
    text = f"42{ack_id}{json.dumps([name, *rest], ensure_ascii=plain)}"
    assert read_packet(text) == PageEvent([name, *rest], ack_id or None, len(text.encode()))
    theirs = Packet(encoded_packet=text[1:])
    assert (theirs.packet_type, theirs.data, theirs.id) == (EVENT, [name, *rest], number)


@pytest.mark.parametrize("name", ['"leave"', "5", "null", "true", "1.5", '""'])
def test_a_name_is_whatever_can_be_looked_up(name: str) -> None:
    """What is no name is refused further on, with an answer."""
    assert read_packet(f"421[{name}]") == PageEvent([json.loads(name)], "1", len(name) + 5)


def test_a_size_is_that_on_the_wire() -> None:
    """Half a character too, which only a text that came by another way can hold."""
    assert read_packet('42["é错😀"]') == PageEvent(["é错😀"], None, 6 + 2 + 3 + 4)
    assert read_packet(f'42["{ALONE}"]') == PageEvent([ALONE], None, 6 + 3)


@pytest.mark.parametrize("packet", ["1", "3", "40", "40{}", '40{"page_id":1}', "41"])
def test_other_packets_of_a_page_stay_as_they_are(packet: str) -> None:
    """Engine.IO's CLOSE and PONG, Socket.IO's CONNECT and DISCONNECT."""
    assert read_packet(packet) == packet


@pytest.mark.parametrize(
    "message",
    [
        *(None, b"3", b"42[1]", "", "x", "²", "0{}", "2", "2probe", "3probe", "5", "6", "4"),
        *("40[]", "40null", "40{", "40/chat,", "41{}", "42", "42{}", "42[]", "42[[]]", "42[{}]"),
        *('42["leave",{', "421", "42 1[1]", f"42{'1' * 16}[1]", "42-1[1]", "42/chat,[1]", "42²[1]"),
        *("43[1]", "431[1]", "44{}", '451-["a"]', '461-1["a"]', DEEP, "42" + DEEP, "40" + DEEP),
        "42[" + "1" * 5_000 + "]",
    ],
    ids=lambda message: repr(message)[:12],
)
def test_what_is_no_packet(message: str | bytes | None) -> None:
    """Attachments, namespaces, acknowledgements, broken JSON, and what only a server sends."""
    assert read_packet(message) is None


@given(st.text() | st.text(alphabet='0123456789[]{}",:²- ').map(lambda text: f"42{text}"))
def test_nothing_escapes(message: str) -> None:
    """Whatever a page says is a packet or none."""
    packet = read_packet(message)
    assert packet is None or packet == message or isinstance(packet, PageEvent)


@given(texts, payloads)
def test_an_event_is_written(name: str, payload: dict[str, object]) -> None:
    """As Socket.IO would; what JavaScript reads of it is the same, and one line of ASCII."""
    packet = event_packet(name, payload)
    theirs = Packet(encoded_packet=packet)
    assert (theirs.packet_type, theirs.data) == (EVENT, [name, payload])
    assert theirs.id is None
    assert packet.isascii()


@given(numbers, payloads)
def test_an_acknowledgement_is_written(number: int, payload: dict[str, object]) -> None:
    """With the number of its event."""
    theirs = Packet(encoded_packet=ack_packet(str(number), payload))
    assert (theirs.packet_type, theirs.id, theirs.data) == (ACK, number, [payload])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"bytes"])
def test_what_no_page_could_read_is_not_written(value: object) -> None:
    """JSON has none of these, and Socket.IO would make an attachment of bytes."""
    for write in (event_packet, ack_packet):
        with pytest.raises((ValueError, TypeError)):
            write("1", {"value": value})


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
@pytest.mark.parametrize("letter", ["x", "é"])
def test_a_frame_holds_one_whole_message(size: int, letter: str) -> None:
    """A client that follows the standard reads it, and reads nothing more."""
    client = Connection(ConnectionType.CLIENT)
    text = letter * (size // len(letter.encode())) + "x" * (size % len(letter.encode()))
    client.receive_data(text_frame(text) + text_frame("end"))
    events = list(client.events())
    assert all(isinstance(event, TextMessage) for event in events)
    *parts, end = [event.data for event in events if isinstance(event, TextMessage)]
    assert ("".join(parts), end) == (text, "end")
    assert len(text_frame(text)) == size + (2 if size < 126 else 4 if size < 65_536 else 10)


def test_a_connect_that_socketio_could_not_decode_is_none() -> None:
    """It decodes the payload once more, with less of the stack left, and would log a traceback."""
    nested = "[" * MAX_CONNECT_BRACKETS + "]" * MAX_CONNECT_BRACKETS
    assert read_packet(f'40{{"page_id":{nested}}}') is None
    assert read_packet('40{"page_id":[[]]}') == '40{"page_id":[[]]}'
