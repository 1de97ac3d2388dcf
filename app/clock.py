"""The only file that reads time.

Deadlines are UTC seconds from a clock that is the wall clock at process start plus the monotonic
clock since. So they mean the same to another process and after a restart, and a step of the wall
clock (NTP, a laptop's owner) neither ends a grace nor stretches one.
"""

import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """What the rest of the code knows of time."""

    def now(self) -> float:
        """UTC seconds since 1970, never going back within one process."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass; other greenlets run meanwhile."""
        ...


class SystemClock:
    """The clock of a running server.

    Args:
        wall: reads the wall clock, UTC seconds; read once.
        monotonic: reads a clock that is never stepped, seconds.
        sleep: lets seconds pass. gevent replaces `time.sleep` when it patches the process.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._monotonic = monotonic
        self._sleep = sleep if sleep is not None else time.sleep
        self._offset = wall() - monotonic()

    def now(self) -> float:
        """UTC seconds since 1970, never going back within one process."""
        return self._offset + self._monotonic()

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass; other greenlets run meanwhile."""
        self._sleep(seconds)


class ManualClock:
    """A clock for tests: it moves when it is told to, and refuses to go back.

    Args:
        now: UTC seconds it starts with.
    """

    def __init__(self, now: float = 1_000_000.0) -> None:
        self._now = now

    def now(self) -> float:
        """The seconds it was last moved to."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds`; ValueError when they are negative."""
        if seconds < 0:
            raise ValueError("a clock does not go back")
        self._now += seconds

    def sleep(self, seconds: float) -> None:
        """Move forward instead of waiting."""
        self.advance(seconds)
