"""Finding a throttle rate, without a browser."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lab.calibration import SLOWEST_RATE, BlockWindow, Calibration
from app.lab.errors import BlockMissed

WINDOW = BlockWindow(shortest_s=26, longest_s=29.5)


@dataclass
class FakeLoad:
    """A load whose block is known beforehand."""

    block_s: float
    closed: bool = False

    def longest_block_s(self) -> float:
        """The block it was made with."""
        return self.block_s

    def close(self) -> None:
        """Remember that it was thrown away."""
        self.closed = True


class FakeMachine:
    """A machine on which a block lasts `offset_s + slope_s * rate` seconds."""

    def __init__(self, slope_s: float, offset_s: float = 0.0) -> None:
        self.slope_s = slope_s
        self.offset_s = offset_s
        self.loads: list[FakeLoad] = []
        self.probed: list[float] = []

    def load(self, rate: float) -> FakeLoad:
        """One whole attempt."""
        self.loads.append(FakeLoad(self.offset_s + self.slope_s * rate))
        return self.loads[-1]

    def probe(self, rate: float) -> float:
        """The block of a plain load."""
        self.probed.append(rate)
        return self.offset_s + self.slope_s * rate


def test_a_rate_is_in_proportion() -> None:
    """Half the wanted block asks for twice the rate."""
    assert Calibration(WINDOW).observe(5, 13.875) == pytest.approx(10)


def test_loads_near_the_window_are_taken_together() -> None:
    """Of loads that came near, the one in the middle counts, and far ones not at all."""
    calibration = Calibration(WINDOW)
    calibration.observe(4, 9)
    rates = [calibration.observe(10, block_s) for block_s in (30, 26, 34)]
    assert rates[-1] == pytest.approx(10 * 27.75 / 30)


def test_a_machine_whose_speed_has_changed_is_followed() -> None:
    """Loads of long ago do not count."""
    calibration = Calibration(WINDOW)
    rates = [calibration.observe(10, block_s) for block_s in [22] * 5 + [33] * 5]
    assert rates[-1] == pytest.approx(10 * 27.75 / 33)


@pytest.mark.parametrize(("measured_s", "expected"), [(1000.0, 1.0), (0.001, SLOWEST_RATE)])
def test_a_rate_is_bounded(measured_s: float, expected: float) -> None:
    """No measurement asks for a speed-up, nor for more than the slowest rate."""
    assert Calibration(WINDOW).observe(10, measured_s) == expected


def test_a_rate_needs_a_block() -> None:
    """A load that did not block says nothing about the rate."""
    with pytest.raises(ValueError, match="nothing about the rate"):
        Calibration(WINDOW).observe(10, 0)


@given(st.floats(0.05, 10), st.floats(0, 3))
def test_any_linear_machine_is_calibrated(slope_s: float, offset_s: float) -> None:
    """On a machine whose block grows linearly with the rate, a load that serves is found."""
    machine = FakeMachine(slope_s, offset_s)
    calibration = Calibration(WINDOW)
    if slope_s * SLOWEST_RATE < WINDOW.longest_s or slope_s + offset_s > WINDOW.longest_s:
        return
    assert calibration.freeze(machine.load, machine.probe).block_s in WINDOW


def test_a_miss_is_thrown_away_and_corrected() -> None:
    """A load outside the window is closed, the next one has a better rate."""
    machine = FakeMachine(slope_s=2.8)
    calibration = Calibration(WINDOW)
    calibration.observe(10, 20)  # the machine was faster then
    served = calibration.freeze(machine.load, machine.probe)
    assert [load.closed for load in machine.loads] == [True, False]
    assert served is machine.loads[-1]


def test_a_rate_that_served_is_kept() -> None:
    """The next load starts with the rate of the last good one and probes nothing."""
    machine = FakeMachine(slope_s=2.8)
    calibration = Calibration(WINDOW)
    first = calibration.freeze(machine.load, machine.probe)
    second = calibration.freeze(machine.load, machine.probe)
    assert (len(machine.probed), second.block_s) == (1, first.block_s)


def test_it_gives_up() -> None:
    """A machine that never gives the block is reported with everything that was tried."""
    machine = FakeMachine(slope_s=0, offset_s=2)
    with pytest.raises(BlockMissed, match=r"26 to 29\.5 s; measured 2\.0 s at rate") as missed:
        Calibration(WINDOW, tries=3).freeze(machine.load, machine.probe)
    assert len(missed.value.tried) == 3
    assert all(load.closed for load in machine.loads)
