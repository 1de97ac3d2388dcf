"""Time comes from one place, and only goes forward."""

import time

import pytest

from app.clock import ManualClock, SystemClock


class Instruments:
    """A wall clock and a monotonic clock that the test sets, and what was slept."""

    def __init__(self) -> None:
        self.wall = 1_700_000_000.0
        self.monotonic = 50.0
        self.slept: list[float] = []
        self.clock = SystemClock(
            wall=lambda: self.wall, monotonic=lambda: self.monotonic, sleep=self.slept.append
        )


def test_it_begins_with_the_wall_clock() -> None:
    """At the start of the process the time is that of the wall clock, in UTC seconds."""
    assert Instruments().clock.now() == 1_700_000_000.0


def test_it_goes_on_with_the_monotonic_clock() -> None:
    """Seconds pass as the monotonic clock counts them."""
    instruments = Instruments()
    instruments.monotonic += 2.5
    assert instruments.clock.now() == 1_700_000_002.5


@pytest.mark.parametrize("step_s", [-3600.0, 3600.0])
def test_a_step_of_the_wall_clock_changes_nothing(step_s: float) -> None:
    """Who sets the clock neither ends a grace nor stretches one."""
    instruments = Instruments()
    instruments.wall += step_s
    assert instruments.clock.now() == 1_700_000_000.0


def test_sleeping_is_left_to_the_process() -> None:
    """Under gevent it is gevent's sleep that is called."""
    instruments = Instruments()
    instruments.clock.sleep(1.5)
    assert instruments.slept == [1.5]


def test_the_system_clock_is_the_systems() -> None:
    """Without instruments it reads the real ones."""
    before = time.time()
    clock = SystemClock()
    assert before - 1 < clock.now() < time.time() + 1
    assert clock.now() <= clock.now()


def test_a_manual_clock_moves_when_it_is_told_to() -> None:
    """Between two moves no time passes; sleeping is a move."""
    clock = ManualClock(10.0)
    assert clock.now() == clock.now() == 10.0
    clock.advance(2.5)
    clock.sleep(0.5)
    clock.advance(0.0)
    assert clock.now() == 13.0


def test_a_manual_clock_does_not_go_back() -> None:
    """A test that would turn time back is wrong, and told so."""
    clock = ManualClock(10.0)
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-0.001)
    assert clock.now() == 10.0
