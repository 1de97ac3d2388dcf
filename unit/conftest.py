"""What all unit tests share: a clean environment, a silent log and a steady Hypothesis."""

import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

from app.clock import ManualClock
from unit.fakes.world import World

# The same examples every time, in an amount that keeps the whole run short; no example has a time
# limit, because a busy machine must not fail a test.
settings.register_profile(
    "unit", max_examples=40, stateful_step_count=30, deadline=None, derandomize=True, database=None
)
settings.load_profile("unit")


@pytest.fixture(autouse=True, scope="session")
def _untouched_by_the_machine() -> Iterator[None]:
    """Settings come from the test and not from the machine's `GRACE_*` variables."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("GRACE_")]:
            patch.delenv(name)
        yield


@pytest.fixture(autouse=True, scope="session")
def _silent_log() -> None:
    """What the server logs goes nowhere; `structlog.testing.capture_logs` still sees it."""
    structlog.configure(processors=[], logger_factory=structlog.ReturnLoggerFactory())


@pytest.fixture
def clock() -> ManualClock:
    """A clock that the test moves."""
    return ManualClock()


@pytest.fixture
def world() -> World:
    """Services on a store in memory, with the default settings and a study of one game."""
    return World()
