"""A page that answers no heartbeat is busy: noticed, told, and over when it answers."""

from typing import Any

import pytest

from app.errors import StoreBusy
from app.services.busy import BUSY_AFTER_S, CHANGES_AT_ONCE
from unit.fakes.pairs import come_to_wait, matched_pair, running_pair
from unit.fakes.participant import Participant
from unit.fakes.world import World


def links(participant: Participant) -> list[str]:
    """The links of the partner that somebody was told of, in order."""
    return [status["link"] for status in participant.heard("partner_status")]


def test_a_page_that_owes_a_heartbeat_is_busy(world: World) -> None:
    """Not at once: a slow network is not a frozen page."""
    ann = world.connect()
    world.ping(ann.sid)
    world.clock.advance(BUSY_AFTER_S - 0.01)
    world.sweeper.sweep()
    assert not world.core.is_busy(ann.session_id)
    world.clock.advance(0.01)
    world.advance(0.0)
    assert world.core.is_busy(ann.session_id)
    (entry,) = world.log("became_busy")
    assert (entry["session_id"], entry["epoch"]) == (ann.session_id, 1)
    assert entry["owed_for_s"] == pytest.approx(BUSY_AFTER_S)


def test_a_page_that_answers_is_not_busy(world: World) -> None:
    """The log has both once, with how long it lasted."""
    ann = world.connect()
    ann.freeze()
    world.advance(9.0)
    ann.thaw()
    world.advance(9.0)
    assert not world.core.is_busy(ann.session_id)
    assert len(world.log("became_busy")) == 1
    (entry,) = world.log("became_responsive")
    assert entry["busy_s"] == pytest.approx(BUSY_AFTER_S + 9.0)


def test_a_page_whose_browser_does_not_answer_is_not_busy(world: World) -> None:
    """Nobody is told that somebody is there who is not; one answer is enough to say it."""
    ann, bob = running_pair(world)
    world.websockets[ann.sid].answers = False
    ann.freeze()
    world.advance(2.0)
    assert not world.core.is_busy(ann.session_id)
    assert links(bob)[-1] == "connected"
    world.advance(10.0)
    assert links(bob)[-1] == "away"
    assert "busy" not in links(bob)
    assert world.log("became_busy") == []


def test_a_partner_is_told(world: World) -> None:
    """Busy and connected again, each once, with the seconds of the load where there is one."""
    ann, bob = matched_pair(world)
    ann.start_loading()
    ann.freeze()
    world.advance(5.0)
    status = bob.heard("partner_status")[-1]
    assert (status["link"], status["runtime"]) == ("busy", "loading")
    assert status["seconds_left"] == pytest.approx(60.0 - BUSY_AFTER_S)
    ann.thaw()
    assert links(bob) == ["connected", "connected", "busy", "connected"]


def test_who_returns_is_told_of_a_busy_partner(world: World) -> None:
    """Right after `session_opened`."""
    ann, bob = running_pair(world)
    ann.freeze()
    bob.lose()
    bob.come_back()
    assert links(bob) == ["busy"]


def test_a_lost_page_is_not_busy_any_more(world: World) -> None:
    """It is away; and nobody says that it answers."""
    ann, bob = running_pair(world)
    ann.freeze()
    ann.lose()
    world.advance(1.0)
    assert links(bob)[-2:] == ["busy", "away"]
    assert not world.core.is_busy(ann.session_id)
    assert world.log("became_responsive") == []


def test_an_end_is_no_answer(world: World) -> None:
    """Until the loss is worked off, nobody hears that the page answers."""
    ann, bob = running_pair(world)
    ann.freeze()
    world.disconnect(ann.sid)
    world.sweeper.sweep()
    assert links(bob)[-1] == "busy"
    world.inbox.drain()
    assert links(bob)[-1] == "away"
    assert world.log("became_responsive") == world.log("game_resumed") == []


def test_a_connection_that_ends_while_the_store_is_waited_for_is_not_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is held for a connection that nobody will forget again."""
    ann = world.connect()
    append = world.store.append

    def lose_meanwhile(entries: Any) -> None:
        append(entries)
        if entries[0].event == "became_busy":
            world.disconnect(ann.sid)
            world.inbox.drain()

    monkeypatch.setattr(world.store, "append", lose_meanwhile)
    ann.freeze()
    assert world.log("became_busy")
    assert dict(world.core.connections.busy()) == {}


def test_a_class_that_freezes_at_once_is_noticed_in_portions(world: World) -> None:
    """So that nobody else waits for it; all of it within the next sweeps, both ways."""
    people = [world.connect() for _ in range(CHANGES_AT_ONCE + 1)]
    for one in people:
        world.ping(one.sid)
    world.clock.advance(BUSY_AFTER_S)
    world.watch.look(world.clock.now())
    noticed = []
    for _ in range(2):
        world.sweeper.sweep()
        noticed.append(len(world.core.connections.busy()))
    for one in people:
        world.pong(one.sid)
    for _ in range(2):
        world.sweeper.sweep()
        noticed.append(len(world.core.connections.busy()))
    assert noticed == [CHANGES_AT_ONCE, CHANGES_AT_ONCE + 1, 1, 0]


def test_who_freezes_before_the_start_does_not_come_first_again() -> None:
    """A game that a busy player held up does not put that player before the others."""
    world = World(game_start_timeout_s=10)
    ann, bob = matched_pair(world)
    ann.declare_ready()
    ann.freeze()
    bob.declare_ready()
    third = come_to_wait(world)
    world.advance(10.0)
    assert bob.heard("game_ended")[0]["reason"] == "start_timeout"
    assert bob.session.place.game_id == third.session.place.game_id
    assert ann.session.place.state == "waiting"


def test_a_newer_page_is_not_busy(world: World) -> None:
    """The frozen page that it replaced says nothing about it, even while it is still open."""
    ann, bob = running_pair(world)
    ann.freeze()
    ann.reload()
    world.sweeper.sweep()
    assert not world.core.is_busy(ann.session_id)
    assert links(bob)[-1] == "connected"
    assert len(world.log("became_busy")) == 1
    world.advance(1.0)
    assert world.log("became_responsive") == []


def test_a_page_that_was_replaced_is_never_busy(world: World) -> None:
    """It may freeze while it is still open; the session is in another page."""
    ann, _ = running_pair(world)
    world.ping(ann.sid)
    world.clock.advance(BUSY_AFTER_S)
    ann.reload()
    world.sweeper.sweep()
    assert world.log("became_busy") == []


def test_what_the_store_could_not_keep_is_noticed_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told of what is not in the log."""
    ann, bob = running_pair(world)

    def busy(*_: object) -> None:
        raise StoreBusy("held by somebody else")

    with monkeypatch.context() as patch:
        patch.setattr(world.store, "append", busy)
        ann.freeze()
    assert links(bob)[-1] == "connected"
    world.advance(1.0)
    assert links(bob)[-1] == "busy"
    assert len(world.log("became_busy")) == 1
