"""The parts are joined in one place, and start and stop in order."""

import importlib.util
from functools import partial
from typing import Any

import pytest

from app import create_app
from app.clock import ManualClock
from app.errors import SettingsError
from app.joined import Grace
from app.services.performer import Performer
from app.sessions import LinkState
from app.settings import EXAMPLE_STUDY, load_settings
from app.sockets.websocket import MAX_MESSAGE_BYTES
from unit.sockets.page import JoinedServer


@pytest.fixture
def server() -> JoinedServer:
    """A server that has not been started."""
    return JoinedServer()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, server: JoinedServer) -> list[Any]:
    """The background tasks that were started, none of which runs."""
    tasks: list[Any] = []
    monkeypatch.setattr(
        server.grace.socketio,
        "start_background_task",
        lambda task, *given: tasks.append(partial(task, *given)),
    )
    return tasks


def test_socket_io_is_set_up_as_the_design_says(server: JoinedServer) -> None:
    """WebSocket only, events of a connection in order, 1 MB, and two ways to watch heartbeats."""
    assert server.eio.transports == ["websocket"]
    assert server.sio.async_handlers is False
    assert server.eio.async_handlers is False
    assert server.sio.async_mode == "gevent"
    assert server.eio.max_http_buffer_size == MAX_MESSAGE_BYTES == 1_000_000
    # Longer than any page may be silent: what is watched is not Engine.IO's business.
    assert (server.eio.ping_interval, server.eio.ping_timeout) == (8, 180 + 8 + 30)
    assert server.grace.watch is not None
    stock = JoinedServer(ping_interval_s=25, ping_timeout_s=20.5, heartbeat="engineio")
    assert (stock.eio.ping_interval, stock.eio.ping_timeout) == (25, 20.5)
    assert stock.grace.watch is None


def test_every_part_is_there(server: JoinedServer) -> None:
    """Effects are performed; with every sweep idle connections are reaped, busy pages noticed."""
    grace = server.grace
    assert isinstance(grace, Grace)
    assert isinstance(getattr(grace.core.effects.perform, "__self__", None), Performer)
    chores = [chore.__qualname__ for chore in grace.sweeper.chores]
    assert chores == ["Sockets.reap", "BusyPages.look"]
    rules = {rule.rule for rule in server.app.url_map.iter_rules()}
    assert {"/", "/healthz", "/admin/api/sessions"} <= rules
    # Files are not Flask's business.
    assert not [rule for rule in rules if rule.startswith("/static")]
    for bundle in grace.core.delivery.bundles:
        assert server.http.head(bundle.url(next(iter(bundle.paths)))).status_code == 200


def test_two_servers_share_nothing() -> None:
    """Tests and tools may make as many as they like in one process."""
    one, other = JoinedServer(), JoinedServer()
    one.page({})
    assert len(one.grace.core.connections) == 1
    assert len(other.grace.core.connections) == 0
    assert other.kept() == [[], [], []]


def test_gevent_websocket_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engine.IO would take it silently, and every close code would be lost."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: object() if name == "geventwebsocket" else find(name, *rest),
    )
    with pytest.raises(SettingsError, match=r"gevent-websocket is installed.*Uninstall it"):
        JoinedServer()


def test_the_shipped_study_is_served_by_default(
    monkeypatch: pytest.MonkeyPatch, server: JoinedServer, clock: ManualClock
) -> None:
    """Without a study, `create_app` loads the one that the settings name."""
    asked: list[object] = []

    def load(path: object) -> object:
        asked.append(path)
        return server.study

    monkeypatch.setattr("app.services.study_files.load_study", load)
    app = create_app(load_settings({}), clock=clock, store=server.store)
    assert asked == [EXAMPLE_STUDY]
    assert app.extensions["grace"].core.study is server.study


def test_starting_takes_over_and_then_sweeps(server: JoinedServer, started: list[Any]) -> None:
    """What an earlier server left is brought up to date before anything else runs."""
    page = server.page({})
    server.store.mark_alive(server.clock.now())
    server.clock.advance(5)
    server.grace.start()
    assert server.store.events()[-1]["event"] == "link_lost"
    assert server.store.sessions()[0].id == page.session_id
    assert server.grace.watch is not None
    runs = [server.grace.watch.run, server.grace.sweeper.run, server.grace.inbox.run]
    assert [task.func for task in started] == runs


def test_stopping_refuses_and_notes_the_time(server: JoinedServer) -> None:
    """Losses that came before are worked off; those that come now belong to the next start."""
    before, during = server.page({}), server.page({})
    before.end()
    server.clock.advance(3)
    server.grace.stop()
    during.end()
    server.grace.inbox.drain()
    states = {one.id: one.link.state for one in server.store.sessions()}
    assert states == {
        before.session_id: LinkState.AWAY,
        during.session_id: LinkState.CONNECTED,
    }
    assert server.store.alive_at() == server.clock.now()
    assert server.grace.core.stopping


def test_what_was_started_ends(server: JoinedServer, started: list[Any]) -> None:
    """After `stop` every task runs to its end by itself."""
    server.grace.start()
    server.grace.stop()
    for task in started:
        task()
