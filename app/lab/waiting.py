"""Bounded waiting for something that another process will do."""

from collections.abc import Callable
from typing import TypeVar

from app.clock import Clock, SystemClock
from app.lab.errors import NotReached

T = TypeVar("T")

PAUSE_S = 0.05
"""Seconds between two looks. The waits are for seconds, and a look costs about a millisecond."""


def until(
    look: Callable[[], T | None],
    *,
    what: str,
    timeout_s: float,
    instead: Callable[[], str] = str,
    clock: Clock | None = None,
) -> T:
    """The first result of `look()` that is not None.

    It looks at least twice, the last time after the timeout has passed, so that a slow look does
    not end the wait early. Playwright's callbacks (`page.route`) do not run meanwhile: wait on the
    page itself where one has to answer.

    Args:
        look: returns what is waited for, or None while it is not there.
        what: names it in the error.
        timeout_s: seconds to wait at most.
        instead: says, for the error, what is there in its place.
        clock: reads and passes time; the system's if not given.

    Raises:
        NotReached: it was still None when `timeout_s` had passed.
    """
    clock = SystemClock() if clock is None else clock
    deadline = clock.now() + timeout_s
    while True:
        late = clock.now() >= deadline
        found = look()
        if found is not None:
            return found
        if late:
            raise NotReached(what, timeout_s, instead())
        clock.sleep(PAUSE_S)
