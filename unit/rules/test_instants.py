"""Rules 2, 3 and 8 at the very instant of a deadline, and one representable time beside it.

A deadline has come when the clock shows it: at that instant a loss is no longer a load's, and a
return is too late, whether or not the sweeper has looked already.
"""

import math

import pytest

from app.sessions import Session
from unit.fakes.pairs import Pair, running_pair
from unit.fakes.participant import Participant
from unit.fakes.world import World

ENDS = ("link_restored", "session_gone", "cleanup_done")


def move_to(world: World, instant: float) -> None:
    """Let the clock show that very number; nothing else happens."""
    world.clock.advance(instant - world.clock.now())
    assert world.clock.now() == instant


def deadline_of(session: Session) -> float:
    """The session's deadline, which it has to have."""
    assert session.deadline is not None
    return session.deadline


def lost_player(world: World) -> Pair:
    """A pair whose first has been lost in a running game."""
    ann, bob = running_pair(world)
    ann.lose()
    return ann, bob


def ends_of(world: World, participant: Participant) -> list[str]:
    """How the log says that a participant's loss went out."""
    return [
        entry["event"]
        for entry in world.log(session_id=participant.session_id)
        if entry["event"] in ENDS
    ]


def reasons(participant: Participant) -> list[str]:
    """Why the games ended that a participant was told of."""
    return [ended["reason"] for ended in participant.heard("game_ended")]


@pytest.mark.parametrize(
    ("late", "grace", "left_s"), [(-1, "loading", 15.0), (0, "reconnect", 15.0)]
)
def test_rule_02_loss_at_the_deadline_of_its_load(
    world: World, late: int, grace: str, left_s: float
) -> None:
    """One instant before the deadline a loss is a load's; at the deadline it is not."""
    ann = world.connect()
    ann.start_loading()
    deadline = deadline_of(ann.session)
    move_to(world, deadline if late == 0 else math.nextafter(deadline, 0.0))
    world.disconnect(ann.sid)
    world.inbox.drain()
    (lost,) = world.log("link_lost")
    assert (lost["grace"], lost["deadline_in_s"]) == (grace, left_s)


@pytest.mark.parametrize("swept_first", [True, False], ids=["sweeper first", "loss first"])
def test_rule_08_loss_and_overdue_at_one_instant(world: World, swept_first: bool) -> None:
    """At the deadline of a load, loss and sweep end the same in both orders: nothing is granted."""
    ann = world.connect()
    ann.start_loading()
    move_to(world, deadline_of(ann.session))
    world.disconnect(ann.sid)
    for act in (world.sweeper.sweep, world.inbox.drain)[:: 1 if swept_first else -1]:
        act()
    assert ann.session.link.deadline == world.clock.now() + 15.0
    assert len(world.log("loading_overdue")) == int(swept_first)
    world.advance(100.0)
    assert ends_of(world, ann) == ["session_gone", "cleanup_done"]


@pytest.mark.parametrize("swept_first", [True, False], ids=["sweeper first", "return first"])
def test_rule_03_return_at_the_deadline_is_too_late(world: World, swept_first: bool) -> None:
    """At the very deadline the session is gone, whoever finds it out; one cleanup, told once."""
    ann, bob = lost_player(world)
    move_to(world, deadline_of(ann.session))
    if swept_first:
        world.sweeper.sweep()
    assert world.refusal(ann.page_id, token=ann.token) == "session_expired"
    assert ann.session.link.why == "deadline_passed"
    assert reasons(bob) == ["player_gone"]
    world.advance(30.0)
    assert ends_of(world, ann) == ["session_gone", "cleanup_done"]
    assert reasons(bob) == ["player_gone"]
    assert len(world.log("partner_told")) == 1


@pytest.mark.parametrize("swept_before", [True, False], ids=["swept before", "not swept before"])
def test_rule_03_return_one_instant_before_the_deadline_is_in_time(
    world: World, swept_before: bool
) -> None:
    """A sweep at that instant or at the deadline itself changes nothing for who came back."""
    ann, bob = lost_player(world)
    deadline = deadline_of(ann.session)
    move_to(world, math.nextafter(deadline, 0.0))
    if swept_before:
        world.sweeper.sweep()
    ann.come_back()
    move_to(world, deadline)
    world.sweeper.sweep()
    world.advance(30.0)
    assert ends_of(world, ann) == ["link_restored"]
    assert ann.session.link.state == "connected"
    assert reasons(bob) == []


def test_rule_03_what_the_sweeper_has_read_before_a_return_ends_nothing(world: World) -> None:
    """Found due, and back and lost again before it is acted on: the older deadline is nobody's."""
    ann, _ = lost_player(world)
    deadline = deadline_of(ann.session)
    (due,) = [one for one in world.store.due_before(deadline, 10) if one.kind == "session"]
    move_to(world, math.nextafter(deadline, 0.0))
    ann.come_back()
    ann.lose()
    move_to(world, deadline)
    world.sessions.deadline_passed(due)
    assert ann.session.link.state == "away"
    assert ends_of(world, ann) == ["link_restored"]


def test_rule_11_both_deadlines_at_one_instant_end_the_game_once(world: World) -> None:
    """Two who were lost together are gone together: one end of the game, and nobody is told."""
    ann, bob = running_pair(world)
    world.disconnect(ann.sid)
    world.disconnect(bob.sid)
    world.inbox.drain()
    assert deadline_of(ann.session) == deadline_of(bob.session)
    move_to(world, deadline_of(ann.session))
    world.sweeper.sweep()
    assert [game.reason for game in world.store.games()] == ["player_gone"]
    assert len(world.log("game_ended")) == 1
    assert len(world.log("cleanup_done")) == 2
    assert world.log("partner_told") == []
