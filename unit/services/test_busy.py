"""A page that answers no heartbeat is busy: noticed, told, and over when it answers."""

import pytest

from app.errors import StoreBusy
from app.services.busy import BUSY_AFTER_S
from unit.fakes.pairs import matched_pair, running_pair
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
    world.sweeper.sweep()
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


def test_a_newer_page_is_not_busy(world: World) -> None:
    """The frozen page that it replaced says nothing about it, even while it is still open."""
    ann, bob = running_pair(world)
    ann.freeze()
    ann.reload()
    world.advance(1.0)
    assert not world.core.is_busy(ann.session_id)
    assert links(bob)[-1] == "connected"
    assert len(world.log("became_busy")) == 1


def test_what_the_store_could_not_keep_is_noticed_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told of what is not in the log."""
    ann, bob = running_pair(world)

    def busy(*_: object) -> None:
        raise StoreBusy("held by somebody else")

    with monkeypatch.context() as patch:
        patch.setattr(world.store, "append", busy)
        with pytest.raises(StoreBusy):
            ann.freeze()
    assert links(bob)[-1] == "connected"
    world.advance(1.0)
    assert links(bob)[-1] == "busy"
    assert len(world.log("became_busy")) == 1
