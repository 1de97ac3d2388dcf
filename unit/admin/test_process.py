"""The figures of what is alive in the process."""

import flask
import gevent
import gevent.event
import pytest
from flask.testing import FlaskClient

from app.admin.api import admin_api
from app.admin.process import add_process_view, living_greenlets
from unit.fakes.world import World

TOKEN = "the-admins-token"
ADDRESS = "/admin/api/process"


@pytest.fixture
def client(world: World) -> FlaskClient:
    """Asks a server for its admin JSON, this view included."""
    app = flask.Flask("app")
    blueprint = admin_api(world.core, TOKEN)
    add_process_view(blueprint, world.core, world.sockets)
    app.register_blueprint(blueprint)
    return app.test_client()


def figures(client: FlaskClient) -> dict[str, float]:
    """What the view says."""
    answer = client.get(ADDRESS, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    read: dict[str, float] = answer.get_json()
    return read


def test_the_view_counts_what_is_open(world: World, client: FlaskClient) -> None:
    """A WebSocket counts from its opening, a connection from its session on, until both end."""
    before = figures(client)
    assert (before["sockets"], before["connections"]) == (0, 0)
    ann = world.connect()
    assert world.refusal(token="unknown") == "session_expired"
    during = figures(client)
    assert (during["sockets"], during["connections"]) == (2, 1)
    ann.lose()
    for websocket in world.websockets.values():
        websocket.abort()
    after = figures(client)
    assert (after["sockets"], after["connections"]) == (0, 0)


def test_the_view_says_for_how_long_the_server_runs(world: World, client: FlaskClient) -> None:
    """In seconds, of the server's own clock."""
    world.clock.advance(12.5)
    assert figures(client)["up_for_s"] == 12.5


def test_the_view_needs_the_token(client: FlaskClient) -> None:
    """It is as closed as the rest of the admin JSON."""
    assert client.get(ADDRESS).status_code == 401
    assert client.get(ADDRESS, headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_a_greenlet_counts_until_it_ends() -> None:
    """One that has not begun counts, one that waits counts, one that has ended does not."""
    gevent.idle()  # Now gevent's own greenlets are there.
    before = living_greenlets()
    end = gevent.event.Event()
    waiting = gevent.spawn(end.wait)
    assert living_greenlets() == before + 1
    gevent.idle()
    assert living_greenlets() == before + 1
    end.set()
    waiting.join()
    assert living_greenlets() == before
