"""Taking the short text frames out of a stream changes nothing of what is heard."""

from collections.abc import Iterable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage

from app.sockets.frames import FrameSplitter
from unit.sockets.wire import frame, masked

Heard = list[tuple[str, object]]

SIZES = st.integers(0, 130) | st.sampled_from([125, 126, 4096, 65_535, 65_536, 70_000])
MASKS = st.binary(min_size=4, max_size=4)
LETTERS = st.sampled_from(["x", "é", "错", "😀"])


class Listener:
    """Hears what wsproto makes of a stream, message by message; nothing after an end."""

    def __init__(self) -> None:
        self.heard: Heard = []
        self._protocol = Connection(ConnectionType.SERVER)
        self._parts: list[str] | list[bytes] = []

    @property
    def over(self) -> bool:
        """Whether a close frame, or a fault, has ended the stream."""
        return bool(self.heard) and self.heard[-1][0] == "close"

    def take(self, data: bytes) -> None:
        """Hear what comes with these bytes."""
        self._protocol.receive_data(data)
        for event in self._protocol.events():
            if not self.over:
                self._hear(event)

    def _hear(self, event: Event) -> None:
        if isinstance(event, TextMessage | BytesMessage):
            self._parts.append(event.data)  # type: ignore[arg-type]
            if event.message_finished:
                self.heard.append(("message", self._parts[0][:0].join(self._parts)))  # type: ignore[arg-type]
                self._parts = []
        elif isinstance(event, Ping | Pong):
            self.heard.append((type(event).__name__, bytes(event.payload)))
        elif isinstance(event, CloseConnection):
            self.heard.append(("close", int(event.code)))


def alone(chunks: Iterable[bytes]) -> Heard:
    """What wsproto hears by itself."""
    listener = Listener()
    for chunk in chunks:
        listener.take(chunk)
    return listener.heard


def split(chunks: Iterable[bytes]) -> tuple[Heard, int]:
    """What is heard of the parts, and how many messages were taken out of the stream."""
    listener, splitter, taken = Listener(), FrameSplitter(), 0
    for chunk in chunks:
        for part in splitter.feed(chunk):
            if listener.over:
                break
            if isinstance(part, str):
                listener.heard.append(("message", part))
                taken += 1
            else:
                listener.take(part)
    return listener.heard, taken


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """A text or binary message in one frame or in several, with control frames between them."""
    letter = draw(LETTERS).encode()
    opcode = draw(st.sampled_from([0x1, 0x1, 0x2]))
    data = letter * (draw(SIZES) // len(letter))
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=3)))
    parts = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    stream = b""
    for number, part in enumerate(parts):
        first = (opcode if number == 0 else 0) | (0x80 if number == len(parts) - 1 else 0)
        stream += frame(first, part, draw(MASKS)) + draw(controls)
    return stream


controls = st.one_of(
    st.just(b""),
    st.builds(frame, st.sampled_from([0x89, 0x8A]), st.binary(max_size=125), MASKS),
)
"""Nothing, a ping or a pong."""

wrong = st.one_of(
    st.builds(frame, st.integers(0, 255), st.binary(max_size=140), MASKS),
    st.builds(
        lambda first, data: bytes([first, len(data)]) + data,
        st.sampled_from([0x81, 0x82]),
        st.binary(max_size=100),
    ),
    st.binary(max_size=20),
    st.just(frame(0x88, (1001).to_bytes(2))),
    st.just(frame(0x88, b"")),
)
"""Anything: reserved bits and opcodes, parts without a beginning, no mask, an end."""


@st.composite
def chunked(draw: st.DrawFn, streams: st.SearchStrategy[list[bytes]]) -> list[bytes]:
    """A stream as a network may bring it: in one piece, in any pieces, byte by byte."""
    stream = b"".join(draw(streams))
    size = draw(st.sampled_from([1, 2, 3, 7, 100, 4096, 1_000_000]))
    size = max(size, len(stream) // 2_000)
    start = draw(st.integers(0, size))
    return [stream[:start], *(stream[at : at + size] for at in range(start, len(stream), size))]


@settings(max_examples=25, deadline=None)
@given(chunked(st.lists(messages(), max_size=6)))
@example([bytes([one]) for one in masked("a") + frame(0x8A, b"", b"mask") + masked("b")])
@example([masked("a" * 125) + frame(0x81, b"b" * 126) + masked("") + frame(0x81, b"c" * 65_536)])
def test_the_same_is_heard_of_whatever_is_allowed(chunks: list[bytes]) -> None:
    """Every message and control frame, in its order, however the network cuts the stream.

    Only a pong without payload is not heard of: that it came is all that it says.
    """
    heard, _ = split(chunks)
    assert heard == [one for one in alone(chunks) if one != ("Pong", b"")]
    assert not any(kind == "close" for kind, _ in heard)


@pytest.mark.parametrize("size", [1, 2, 5, 6, 7, 1000])
def test_short_texts_are_taken_out(size: int) -> None:
    """Those of up to 125 bytes, also in pieces; wsproto sees none of them and everything else."""
    texts = ["", "a", "é" * 62, "b" * 125]
    long = frame(0x81, b"c" * 126)
    stream = b"".join(map(masked, texts)) + long + masked("d")
    splitter = FrameSplitter()
    parts = [
        part for at in range(0, len(stream), size) for part in splitter.feed(stream[at : at + size])
    ]
    assert [part for part in parts if isinstance(part, str)] == [*texts, "d"]
    assert b"".join(part for part in parts if isinstance(part, bytes)) == long
    assert parts[-1] == "d"


@pytest.mark.parametrize("between", [b"", frame(0x89, b"ping"), frame(0x00, b"y")])
def test_a_short_text_inside_a_message_is_left_to_be_refused(between: bytes) -> None:
    """It is illegal there (RFC 6455, 5.4), and has to be where that is noticed."""
    stream = frame(0x01, b"x") + between + masked("42[1]")
    heard, taken = split([stream])
    assert heard == alone([stream])
    assert heard[-1] == ("close", 1002)
    assert taken == 0


def test_after_a_message_in_parts_short_texts_are_taken_again() -> None:
    """Its last part ends it."""
    heard, taken = split([frame(0x01, b"x") + frame(0x80, b"y") + masked("z")])
    assert heard == [("message", "xy"), ("message", "z")]
    assert taken == 1


def test_little_is_kept_of_a_frame_that_has_not_come_whole() -> None:
    """At most a short text without its last byte; what is long goes on at once."""
    splitter = FrameSplitter()
    assert splitter.feed(masked("a" * 125)[:-1]) == []
    assert len(splitter._buffer) == 130
    assert splitter.feed(masked("a" * 125)[-1:]) == ["a" * 125]
    assert splitter.feed(frame(0x82, b"b" * 70_000)[:60_000]) != []
    assert splitter._buffer == b""


@settings(max_examples=40, deadline=None)
@given(chunked(st.lists(messages() | wrong, max_size=6)))
@example([masked("a") + frame(0x81, b"\xff") + masked("b")])
@example([masked("a") + frame(0x88, (1001).to_bytes(2)) + frame(0x81, b"\xff")])
@example([b"\x81\xfe\x00\x05" + bytes(4) + b"42[1]"])
@example([b"\x81\xff" + bytes(7) + b"\x05" + bytes(4) + b"42[1]"])
def test_the_same_is_heard_of_whatever_is_not_allowed(chunks: list[bytes]) -> None:
    """Up to the same end, with the same code for it."""
    heard, _ = split(chunks)
    assert heard == alone(chunks)
