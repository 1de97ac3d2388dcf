"""Lets Engine.IO measure its heartbeats with a clock that nobody steps.

engineio notes when it sent a PING, and how old that is, by `time.time()` (`engineio/socket.py`,
`_send_ping` and `check_ping_timeout`; `engineio/base_socket.py`). Were the system clock set
forward, every page that owes a PONG would be dropped at once, and those are the frozen ones; were
it set back, a page that is gone would not be missed for as long as it was set back. engineio has
no setting for it, and asks the module `time` for nothing else.
"""

from types import SimpleNamespace

import engineio.base_socket
import engineio.socket

from app.clock import SystemClock

STEADY = SimpleNamespace(time=SystemClock().now)
"""In place of the module `time`: UTC seconds that only go forward."""


def measure_heartbeats_steadily() -> None:
    """Make both modules read the steady clock, for the whole process."""
    engineio.base_socket.time = STEADY
    engineio.socket.time = STEADY
