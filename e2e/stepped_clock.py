"""Starts a server whose wall clock a test can set: `stepped_clock.py OFFSET_FILE COMMAND...`.

It replaces `time.time` before anything of the server is imported, and then is the command
`grace-server`. So whatever in the process asks Python for the wall clock gets it with an offset,
which is read from the file each time. The monotonic clock goes on, as it does on a real machine
whose clock is set, and gevent's timers with it.

With `--stock-heartbeats` after the file, Engine.IO's heartbeats stay on the wall clock.
"""

import sys
import time
from pathlib import Path

from gevent import monkey

STOCK = "--stock-heartbeats"


def main() -> None:
    """Set the clock going, and run the command."""
    offset, command = Path(sys.argv[1]), sys.argv[2:]
    wall = time.time
    time.time = lambda: wall() + float(offset.read_text())
    # As the command itself does, before what works with gevent is imported.
    monkey.patch_all()
    if command[0] == STOCK:
        from app.sockets import engine

        engine.measure_heartbeats_steadily = lambda: None
        del command[0]
    from app.cli import main as grace_server

    sys.argv[1:] = command
    grace_server()


if __name__ == "__main__":
    main()
