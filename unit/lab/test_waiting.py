"""Bounded waiting, on a clock that is moved by hand."""

import pytest

from app.clock import ManualClock
from app.lab.errors import NotReached
from app.lab.waiting import until


def test_it_returns_what_it_found() -> None:
    """The first result that is not None is returned, a false one too."""
    looks = iter([None, None, 0])
    assert until(lambda: next(looks), what="a number", timeout_s=10, clock=ManualClock()) == 0


def test_it_looks_once_more_when_time_is_up() -> None:
    """What came during a slow look at the very end still counts."""
    clock = ManualClock()
    looked_at: list[float] = []

    def look() -> str | None:
        looked_at.append(clock.now())
        clock.advance(6)
        return "late" if len(looked_at) == 3 else None

    assert until(look, what="it", timeout_s=10, clock=clock) == "late"


def test_it_gives_up() -> None:
    """The error says what was waited for, how long, and what was there in its place."""
    with pytest.raises(NotReached, match="a goat: not within 2 s; instead: a sheep"):
        until(
            lambda: None,
            what="a goat",
            timeout_s=2,
            instead=lambda: "a sheep",
            clock=ManualClock(),
        )
