"""The text of Socket.IO packets (protocol revision 5), inside those of Engine.IO (revision 4).

Only what a page and this server say to each other: no attachments, and no namespace but `/`.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

PING, PONG = "2", "3"
"""Engine.IO's heartbeat: the server asks, the page's main thread answers."""

CONNECT = "40"
"""How Socket.IO's CONNECT begins, in a MESSAGE of Engine.IO."""

MAX_CONNECT_BRACKETS = 100
"""More than any CONNECT has. Socket.IO decodes it again, with less of the stack left."""

ACK_ID = re.compile("^[0-9]{1,15}")
"""The number of an event that wants to be acknowledged."""

_compact = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode


class PageEvent(NamedTuple):
    """An event from a page.

    `values` are its name and its payloads, `ack_id` is its number where it wants to be
    acknowledged, `size` is how many bytes it took.
    """

    values: list[Any]
    ack_id: str | None
    size: int


def read_packet(message: str | bytes | None) -> PageEvent | str | None:
    """What a page sent: an event, another packet as it is, or None for what is no packet.

    Other packets are Engine.IO's CLOSE (1) and PONG (3), and Socket.IO's CONNECT and DISCONNECT (0
    and 1 in an Engine.IO MESSAGE, 4). Nothing of ours asks a page for an acknowledgement.
    """
    if not isinstance(message, str):
        return None
    if message.startswith("42"):
        return _read_event(message)
    if message.startswith(CONNECT):
        if message.count("[") + message.count("{") > MAX_CONNECT_BRACKETS:
            return None
        return message if isinstance(_decoded(message[2:] or "{}"), dict) else None
    return message if message in ("1", PONG, "41") else None


def _read_event(message: str) -> PageEvent | None:
    # An event that wants no answer begins with its list; that is the most frequent one.
    number = None if message[2:3] == "[" else ACK_ID.match(message[2:])
    ack_id = None if number is None else number.group()
    values = _decoded(message[2:] if ack_id is None else message[2 + len(ack_id) :])
    # Its name is something that can be looked up.
    if not isinstance(values, list) or not values or isinstance(values[0], list | dict):
        return None
    size = len(message) if message.isascii() else len(message.encode(errors="surrogatepass"))
    return PageEvent(values, ack_id, size)


def _decoded(text: str) -> object:
    """The JSON value, or None for what is none; nothing of ours is only `null`."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def event_packet(event: str, payload: Mapping[str, Any]) -> str:
    """The Socket.IO packet of an event, to be sent as an Engine.IO MESSAGE."""
    return f"2{_compact([event, dict(payload)])}"


def ack_packet(ack_id: str, answer: Mapping[str, Any]) -> str:
    """The Socket.IO packet that acknowledges an event."""
    return f"3{ack_id}{_compact([dict(answer)])}"


def text_frame(text: str) -> bytes:
    """A WebSocket frame with a whole text message, as a server sends it (RFC 6455, 5.2).

    It is the same for every connection that has agreed on no extension.
    """
    data = text.encode()
    size = len(data)
    if size < 126:
        return bytes((0x81, size)) + data
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2) + data
    return b"\x81\x7f" + size.to_bytes(8) + data
