"""Rules 13 to 17: reading changes nothing, everything ends, and a restart is survived."""

import re
from pathlib import Path
from typing import Any

import flask_socketio
import pytest

import app as package
from app import create_app
from app.errors import UnknownReceiver
from app.protocol import ServerEvent
from app.sockets.emitter import SocketEmitter
from app.sockets.register import Sockets
from unit.fakes.held import held_by_services
from unit.fakes.pairs import come_to_wait, matched_pair, running_pair
from unit.fakes.stores import FaultyStore
from unit.fakes.studies import one_game, study_of
from unit.fakes.world import World
from unit.rules.conftest import Faults

SOURCES = sorted(Path(package.__file__).parent.rglob("*.py"))


def contents(world: World) -> tuple[Any, ...]:
    """All that a store holds."""
    store = world.store
    return store.sessions(), store.games(), store.events(), store.alive_at()


@pytest.mark.parametrize(
    "address",
    [
        "/?participant=P7",
        "/healthz",
        "{environment}",
        "/static/elsewhere/environment.py",
        "/admin/api/sessions",
        "/admin/api/events?after=1",
        "/admin/api/games",
        "/nowhere",
    ],
)
def test_rule_13_get_changes_nothing(world: World, address: str) -> None:
    """No page, file or JSON that anybody can ask for begins, ends or logs anything."""
    running_pair(world)
    settings = world.settings.model_copy(update={"admin_token": "a-long-token"})
    app = create_app(settings, clock=world.clock, store=world.store, study=world.core.study)
    address = address.format(environment=world.core.delivery.environment_address("match"))
    before = contents(world)
    with app.test_client() as client:
        client.get(address).close()
        client.get(address, headers={"Authorization": "Bearer a-long-token"}).close()
    assert contents(world) == before


def test_rule_13_a_session_begins_at_connect(world: World) -> None:
    """A connection that is refused, or says nothing, is no session."""
    assert world.refusal(token="unknown") == "session_expired"
    assert world.refusal(study="another") == "unknown_study"
    assert not world.store.sessions()
    world.connect()
    assert len(world.store.sessions()) == 1


def test_rule_13_a_refused_connection_is_closed_within_10_s(world: World) -> None:
    """Nobody keeps a connection open that has no session; who has one keeps it."""
    ann = world.connect()
    world.refusal(token="unknown")
    refused = [one for sid, one in world.websockets.items() if sid != ann.sid]
    assert len(refused) == 1
    world.advance(9.5)
    assert refused[0].aborted
    assert not world.websockets[ann.sid].aborted


@pytest.mark.parametrize("sid", ["", None])
def test_rule_14_nothing_is_emitted_to_nobody(sid: Any) -> None:
    """To Socket.IO an absent receiver means everybody, so the emitter refuses."""
    emitter = SocketEmitter(flask_socketio.SocketIO(), Sockets(lambda: 0.0))
    with pytest.raises(UnknownReceiver):
        emitter.emit(sid, ServerEvent.PARTNER_STATUS, {})


def test_rule_14_only_the_emitter_emits() -> None:
    """No other file emits or makes an event's packet; services use the outbox."""
    sources = {path.name: path.read_text(encoding="utf-8") for path in SOURCES}
    receivers = {one for text in sources.values() for one in re.findall(r"(\w+)\.emit\(", text)}
    assert receivers == {"outbox"}
    for call in (r"\bevent_packet\(", r"\.send_now\(frame", r"\beio\.send\("):
        senders = {name for name, text in sources.items() if re.search(call, text)}
        senders -= {"packets.py", "transport.py", "websocket.py"}
        assert senders == {"emitter.py"}, call
    importers = {
        path.name
        for path in SOURCES
        if re.search(r"^(from|import) (flask_)?socketio", path.read_text(encoding="utf-8"), re.M)
    }
    assert importers == {"joined.py", "emitter.py", "handlers.py", "doorkeeper.py"}


def test_rule_15_what_has_ended_is_pruned() -> None:
    """After all is over, nothing is left but the log and the records of the games."""
    world = World(gone_kept_s=100.0)
    for _ in range(3):
        ann, bob = running_pair(world)
        ann.start_loading()
        ann.lose()
        bob.reload()
        bob.lose()
    come_to_wait(world).lose()
    world.refusal(token="unknown")
    world.advance(300.0)
    assert not world.store.sessions()
    assert not world.store.unended_games()
    assert held_by_services(world) == {}
    assert len(world.log("session_gone")) == 7


def test_rule_15_memory_is_bounded_by_what_is_alive(world: World) -> None:
    """However often a participant reconnects, reloads and loads, one session is held."""
    ann, bob = running_pair(world)
    once = held_by_services(world)
    for number in range(40):
        ann.reload()
        ann.start_loading(f"attempt_{number}")
        ann.declare_ready()
        bob.come_back()
        bob.declare_ready()
    world.advance(3.0)
    assert held_by_services(world) == once


def test_rule_16_deadlines_move_by_the_time_the_server_was_down(world: World) -> None:
    """Who was away has the rest of the grace, who was there a full one, each from the restart."""
    ann, bob = world.connect(), world.connect()
    ann.start_loading()
    ann.lose()
    world.advance(10.0)
    after = world.restart(down_s=500.0)
    assert ann.session.deadline == after.clock.now() + 50.0
    assert bob.session.link.state == "away"
    assert bob.session.deadline == after.clock.now() + 15.0


def test_rule_16_nobody_is_left_less_than_a_reconnect_grace(world: World) -> None:
    """A grace that had almost ended is a full one again after a restart."""
    ann = world.connect()
    ann.lose()
    world.advance(14.0)
    after = world.restart(down_s=3600.0)
    assert ann.session.deadline == after.clock.now() + 15.0
    after.advance(15.0)
    assert ann.session.link.state == "gone"
    assert len(after.log("cleanup_done")) == 1


def test_rule_16_credentials_and_places_survive(world: World) -> None:
    """Who comes back to the new server is the same session, in the same place of the queue."""
    ann = come_to_wait(world)
    after = world.restart(down_s=30.0)
    ann.move_to(after)
    after.advance(5.0)
    ann.come_back()
    assert (ann.opened["resumed"], ann.opened["place"]) == (True, "waiting")
    bob = come_to_wait(after)
    assert ann.game_id == bob.game_id
    assert ann.heard("game_matched")[0]["you"] == "player_0"


def test_rule_16_games_in_progress_end(world: World) -> None:
    """The actions were in the memory of the old server, so its games end, with that reason."""
    ann, bob = running_pair(world)
    after = world.restart(down_s=2.0)
    assert [game.reason for game in after.store.games()] == ["server_restarted"]
    for somebody in (ann, bob):
        somebody.move_to(after)
        somebody.come_back()
        assert "game" not in somebody.opened
        assert (somebody.opened["place"], somebody.opened["scene"]["done"]) == ("lobby", True)


def test_rule_16_nobody_is_matched_before_they_are_back(world: World) -> None:
    """A game that had not started sends its players back to the queue, where nobody is yet."""
    ann, bob = matched_pair(world)
    after = world.restart(down_s=2.0)
    assert len(after.log("game_matched")) == 1
    assert (ann.session.place.state, bob.session.place.state) == ("waiting", "waiting")
    for somebody in (ann, bob):
        somebody.move_to(after)
        somebody.come_back()
    assert ann.game_id == bob.game_id
    assert len(ann.heard("game_matched")) == len(bob.heard("game_matched")) == 1


def test_rule_16_another_study_on_the_same_store_can_be_served(world: World) -> None:
    """What an earlier study left in the store keeps no server from starting."""
    ann, _ = running_pair(world)
    other = study_of(*one_game(scene_id="another").study.scenes, study_id="other")
    after = world.restart(down_s=60.0, study=other)
    assert not after.store.unended_games()
    ann.move_to(after)
    assert after.refusal(ann.page_id, token=ann.token) == "unknown_study"
    after.advance(100.0)
    assert ann.session.link.state == "gone"


def test_rule_16_a_server_that_is_stopping_takes_nobody(world: World) -> None:
    """Who connects while the server ends is told so, and is no new session."""
    world.core.stopping = True
    assert world.refusal() == "server_stopping"
    assert not world.store.sessions()


def test_rule_17_the_disconnect_handler_only_hands_over(world: World) -> None:
    """The handler returns without a word to the store; the inbox does the work, in order."""
    ann, bob = running_pair(world)
    before = contents(world)
    world.disconnect(ann.sid, close_code=1006)
    world.disconnect(bob.sid, close_code=1001)
    assert contents(world) == before
    world.inbox.drain()
    lost = world.log("link_lost")
    assert [entry["session_id"] for entry in lost] == [ann.session_id, bob.session_id]
    assert [entry["close_code"] for entry in lost] == [1006, 1001]


def test_rule_17_a_loss_that_could_not_be_kept_is_tried_again() -> None:
    """A store that is held by somebody else delays a loss, and does not swallow it."""
    store = FaultyStore()
    world = World(store=store)
    ann = world.connect()
    store.busy_times = 1
    world.disconnect(ann.sid)
    world.inbox.drain()
    assert ann.session.link.state == "connected"
    world.inbox.drain()
    assert ann.session.link.state == "away"


def test_rule_17_one_loss_that_fails_keeps_no_other_from_being_handled(faults: Faults) -> None:
    """Whatever is wrong with one session, the losses of the others begin their graces."""
    store = FaultyStore()
    world = World(store=store)
    ann, bob = world.connect(), world.connect()
    store.unreadable = ann.session_id
    world.disconnect(ann.sid)
    world.disconnect(bob.sid)
    world.inbox.drain()
    assert bob.session.link.state == "away"
    assert [entry["event"] for entry in faults if "exc_info" in entry] == ["loss_failed"]
    faults.clear()
