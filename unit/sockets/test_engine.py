"""What we take of Engine.IO's inside is there, and its heartbeats are measured steadily."""

import json
import re
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import engineio.base_socket
import engineio.socket
import pytest
from engineio.packet import Packet as EnginePacket

from app.sockets.engine import CLIENT_DISCONNECT, PING_TIMEOUT, measure_heartbeats_steadily
from app.sockets.packets import PING, PONG
from unit.sockets.page import PAGE, JoinedServer
from unit.sockets.wired import WiredPage

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


def test_engineios_words_for_an_end_are_ours() -> None:
    """Two of them say who ended it; by the others nothing is decided."""
    assert CLIENT_DISCONNECT == engineio.Server.reason.CLIENT_DISCONNECT
    assert PING_TIMEOUT == engineio.Server.reason.PING_TIMEOUT


def test_a_ping_follows_the_answer_to_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """One interval later, as the packet by which our WebSocket knows it; so its age is known."""
    eio = engineio.Server(async_mode="gevent", monitor_clients=False, ping_interval=8)
    tasks: list[Any] = []
    slept: list[float] = []
    monkeypatch.setattr(eio, "start_background_task", tasks.append)
    monkeypatch.setattr(eio, "sleep", slept.append)
    socket = eio.sockets["one"] = engineio.socket.Socket(eio, "one")
    socket.last_ping = engineio.socket.time.time()
    socket.receive(EnginePacket(encoded_packet=PONG))
    (send_ping,) = tasks
    assert socket.last_ping is None
    send_ping()
    assert slept == [8]
    assert socket.queue.get_nowait().encode() == PING


def test_the_handshake_outlasts_every_load() -> None:
    """A page's own client must not close what the server keeps."""
    server = JoinedServer(loading_budget_s=100, ping_interval_s=5, ping_timeout_s=20)
    page = WiredPage(server)
    handshake = json.loads(page.messages[0][1:])
    page.end()
    assert handshake["pingInterval"] == 5_000
    assert handshake["pingTimeout"] == 125_000
