"""Engine.IO's heartbeats are measured by a clock that nobody steps."""

import re
import time
from pathlib import Path
from types import ModuleType

import engineio.base_socket
import engineio.socket
import pytest

from app.sockets.engine import measure_heartbeats_steadily
from unit.sockets.page import PAGE, JoinedServer

MODULES = [engineio.base_socket, engineio.socket]
STEPS = [-3600.0, 3600.0]


@pytest.fixture(params=STEPS)
def _stepped(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system clock is set by an hour."""
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + request.param)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_engineio_asks_the_time_for_nothing_else(module: ModuleType) -> None:
    """What stands in for the module `time` has all that is used of it."""
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    assert set(re.findall(r"\btime\.(\w+)", source)) == {"time"}


@pytest.mark.usefixtures("_stepped")
def test_a_step_changes_no_heartbeat() -> None:
    """A PING that was just sent is just as old after the step; the clock is still in seconds."""
    measure_heartbeats_steadily()
    before = engineio.socket.time.time()
    assert engineio.base_socket.time.time() - before < 1
    assert abs(time.time() - before) > 3000


def test_a_frozen_page_outlives_a_step_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    """It owes a PONG; an hour that did not pass does not make it late."""
    page = JoinedServer().page(PAGE)
    page.engine.last_ping = engineio.socket.time.time()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600)
    assert page.engine.check_ping_timeout()
    assert not page.engine.closed


def test_a_dead_page_is_missed_after_a_step_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """It owes a PONG for longer than it may; an hour that was taken back gives it none."""
    server = JoinedServer()
    page = server.page(PAGE)
    page.engine.last_ping = engineio.socket.time.time() - server.eio.ping_timeout - 1
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 3600)
    assert not page.engine.check_ping_timeout()
    assert page.engine.closed
