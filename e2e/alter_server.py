"""Starts a server with something changed in it: `alter_server.py ALTERATION[,...] COMMAND...`.

It is the command `grace-server`, with some of the `ALTERATIONS` below applied before it serves.
"""

import sys
from collections.abc import Callable
from typing import Any

from gevent import monkey

SLOW_S = 1.5
"""Seconds that each disconnect handler waits, in the one alteration."""

NOISE_PER_S = 30
NOISE_BYTES = 2_000
"""What somebody says to everybody, in the other."""


def slow_disconnects() -> None:
    """Let the disconnect handler wait, as one that asks a database does."""
    import gevent

    from app.sockets.handlers import Handlers

    handle = Handlers.on_disconnect

    def slowly(self: Handlers, sid: str, reason: str = "unknown") -> None:
        gevent.sleep(SLOW_S)
        handle(self, sid, reason)

    # A class's attribute, so that every way to the handler is changed.
    setattr(Handlers, "on_disconnect", slowly)  # noqa: B010


def noisy_room() -> None:
    """Tell everybody who is connected so much, so often, without end."""
    import gevent

    from app.joined import Grace
    from app.protocol import ServerEvent

    start = Grace.start

    def make_noise(grace: Any) -> None:
        said = 0
        while not grace.core.stopping:
            room = {"waiting": said, "needed": 2, "seconds_left": None, "noise": "x" * NOISE_BYTES}
            everybody = [session.id for session in grace.core.store.sessions()]
            grace.core.tell_all(everybody, ServerEvent.WAITING_ROOM, room)
            said += 1
            gevent.sleep(1 / NOISE_PER_S)

    def start_and_make_noise(self: Grace) -> None:
        start(self)
        gevent.spawn(make_noise, self)

    setattr(Grace, "start", start_and_make_noise)  # noqa: B010


def unheeding() -> None:
    """Send everything to whoever loads, too, for the control."""
    from app.sockets import transport

    transport.QUIET_BYTES = 1 << 62


def load_pages() -> None:
    """Serve the pages of the bench's group `load`, too."""
    from e2e.speed.load_server import add_load_pages

    add_load_pages()


ALTERATIONS: dict[str, Callable[[], None]] = {
    alter.__name__: alter for alter in (slow_disconnects, noisy_room, unheeding, load_pages)
}


def main() -> None:
    """Alter it, and run the command."""
    alterations, command = sys.argv[1].split(","), sys.argv[2:]
    # As the command itself does, before what works with gevent is imported.
    monkey.patch_all()
    for alteration in filter(None, alterations):
        ALTERATIONS[alteration]()
    from app.cli import main as grace_server

    sys.argv[1:] = command
    grace_server()


if __name__ == "__main__":
    main()
