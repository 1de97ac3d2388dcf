"""The one place that touches what python-engineio keeps private; each name was read in 4.15.

`unit/sockets/test_engine.py` and `test_transport_libraries.py` hold the library against what is
relied on here, and fail when a new version differs.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import engineio
import engineio.base_socket
import engineio.socket
from engineio.packet import NOOP, Packet

from app.clock import SystemClock

CLIENT_DISCONNECT, PING_TIMEOUT = "client disconnect", "ping timeout"
"""Reasons of a disconnect that say who ended it; the others do not (`engineio/base_server.py`)."""

STEADY = SimpleNamespace(time=SystemClock().now)
"""In place of the module `time`: UTC seconds that only go forward."""


def measure_heartbeats_steadily() -> None:
    """Make Engine.IO measure its heartbeats with a clock that nobody steps, in the whole process.

    It notes when it sent a PING, and how old that is, by `time.time()` (`engineio/socket.py`,
    `_send_ping` and `check_ping_timeout`; `engineio/base_socket.py`). Were the system clock set
    forward, every page that owes a PONG would be dropped at once, and those are the frozen ones;
    were it set back, a page that is gone would not be missed for as long as it was set back.
    engineio has no setting for it, and asks the module `time` for nothing else.
    """
    engineio.base_socket.time = STEADY
    engineio.socket.time = STEADY


def use_websocket(eio: engineio.Server, make: Callable[[Callable[[Any], Any]], Any]) -> None:
    """Make an Engine.IO server use a WebSocket of ours.

    engineio has no public way to name the class; it looks it up in `_async` for each upgrade
    (`engineio/socket.py`, `_upgrade_websocket`). The dictionary is shared by all servers of the
    process, so this one gets a copy.

    Args:
        eio: the server.
        make: given engineio's handler of the transport, makes what accepts one upgrade: a WSGI
            application that calls the handler with something that has `send`, `wait` and `close`.
    """
    eio._async = {**eio._async, "websocket": lambda handler, server: make(handler)}


def backlog(eio: engineio.Server, eio_sid: str) -> int:
    """How many packets wait to be sent to this connection."""
    socket = eio.sockets.get(eio_sid)
    return 0 if socket is None else socket.queue.qsize()


def excuse_ping(eio: engineio.Server, eio_sid: str, age_s: float) -> None:
    """Make Engine.IO take an unanswered PING of this connection for `age_s` seconds younger.

    Its only record of one is `last_ping`, the time of its sending, None while none is owed
    (`engineio/socket.py`, `check_ping_timeout`).
    """
    socket = eio.sockets.get(eio_sid)
    if socket is not None and socket.last_ping is not None:
        socket.last_ping += age_s
        # Its writer ends when the queue stays empty for the interval and the timeout together
        # (`poll`), and only PINGs are sure to go through it. Pages ignore a NOOP.
        if socket.queue.empty():
            socket.queue.put(Packet(NOOP))
