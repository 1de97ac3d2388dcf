"""Finding the throttle rate that freezes a page for as long as a test needs.

What a rate does depends on the machine and on what else runs on it, so a rate proves nothing: the
measured block does. An attempt whose block falls outside the window is thrown away and made again
with a better rate, a bounded number of times.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Protocol, TypeVar

from app.lab.errors import BlockMissed

SLOWEST_RATE = 200.0
"""More than any machine should need; a longer busy-wait is an error of measurement."""

FIRST_RATE = 4.0
"""A guess that is made only to be measured: some ten seconds of load on a usual machine."""

NEAR = 0.25
"""How far from the wanted block, in parts of it, a load may be to be one of those that count."""

MOST_TAKEN_TOGETHER = 5
"""Loads that count at once, so that a machine whose speed has changed is followed."""


@dataclass(frozen=True, kw_only=True)
class BlockWindow:
    """The lengths of a main-thread block, in seconds, that serve a test; both ends belong to it."""

    shortest_s: float
    longest_s: float

    def __contains__(self, block_s: float) -> bool:
        return self.shortest_s <= block_s <= self.longest_s

    def __str__(self) -> str:
        return f"{self.shortest_s:g} to {self.longest_s:g} s"

    @property
    def middle_s(self) -> float:
        """The length to aim at."""
        return (self.shortest_s + self.longest_s) / 2


class FrozenLoad(Protocol):
    """One load of Python on a throttled page, with everything around it."""

    def longest_block_s(self) -> float:
        """Seconds of the longest main-thread block, as the page itself reports it."""
        ...

    def close(self) -> None:
        """Throw it away: its server, its pages."""
        ...


Load = TypeVar("Load", bound=FrozenLoad)


class Calibration:
    """What is known about throttle rates on this machine; one serves a whole test session.

    Args:
        window: the blocks that serve.
        tries: loads to make before giving up, each as long as the block.
    """

    def __init__(self, window: BlockWindow, tries: int = 6) -> None:
        self.window = window
        self._tries = tries
        self._rate: float | None = None
        self._seen: list[tuple[float, float]] = []

    def observe(self, rate: float, block_s: float) -> float:
        """Learn from a load.

        A block grows in proportion to the rate, roughly, and the same rate never gives the same
        block twice. So the loads that came near to the window are taken together, by the median;
        while there are none, the last load alone.

        Args:
            rate: the rate it was made at, 1 or more.
            block_s: the block it gave.

        Returns:
            The rate to load at next, from 1 (no throttle) to `SLOWEST_RATE`.

        Raises:
            ValueError: there was no block at all to learn from.
        """
        if block_s <= 0:
            raise ValueError(f"a block of {block_s} s says nothing about the rate")
        self._seen.append((rate, block_s))
        near = [one for one in self._seen if self._is_near(one[1])][-MOST_TAKEN_TOGETHER:]
        s_per_rate = median(one[1] / one[0] for one in near or self._seen[-1:])
        self._rate = min(max(self.window.middle_s / s_per_rate, 1.0), SLOWEST_RATE)
        return self._rate

    def freeze(self, load: Callable[[float], Load], probe: Callable[[float], float]) -> Load:
        """Load, at a rate that freezes the page for as long as wanted.

        Args:
            load: makes one whole attempt at a throttle rate, up to the end of the block.
            probe: returns the block in seconds of a plain load at a rate. It is asked only when
                nothing was observed yet, and much cheaper than an attempt that fails.

        Returns:
            The attempt whose measured block is in the window. The others are closed.

        Raises:
            BlockMissed: none was, in the given number of tries.
        """
        rate = self._rate or self.observe(FIRST_RATE, probe(FIRST_RATE))
        tried: list[tuple[float, float]] = []
        for _ in range(self._tries):
            attempt = load(rate)
            block_s = attempt.longest_block_s()
            tried.append((rate, block_s))
            rate = self.observe(rate, block_s)
            if block_s in self.window:
                return attempt
            attempt.close()
        raise BlockMissed(str(self.window), tried)

    def _is_near(self, block_s: float) -> bool:
        return abs(block_s / self.window.middle_s - 1) <= NEAR
