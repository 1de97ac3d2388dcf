"""Waiting until the processes that this one has started have nothing to do."""

import time
from collections import deque

import psutil

from app.lab.waiting import until

WINDOW_S = 0.4
MOST_BUSY = 0.1
"""Part of a core that all of them may use, over the window."""

TIMEOUT_S = 60.0


def wait_until_idle() -> None:
    """Wait: a browser that was just started has more to do than to show a page.

    Raises:
        NotReached: they are still busy.
    """
    looks: deque[tuple[float, float]] = deque()

    def look() -> bool | None:
        looks.append((time.perf_counter(), _cpu_s()))
        while len(looks) > 1 and looks[-1][0] - looks[1][0] >= WINDOW_S:
            looks.popleft()
        passed_s, used_s = (last - first for first, last in zip(looks[0], looks[-1], strict=True))
        return True if passed_s >= WINDOW_S and used_s < MOST_BUSY * passed_s else None

    until(look, what="the browser being idle", timeout_s=TIMEOUT_S)


def _cpu_s() -> float:
    """Seconds of CPU time that all descendants have used; one that ends takes its own along."""
    used_s = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        used_s += times.user + times.system
    return used_s
