"""One sweeper lets happen what is due; nothing that goes wrong ends it."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from app.errors import GraceError, StoreBusy
from app.services import sweeper as module
from app.services.sweeper import ALIVE_EVERY_S, BREATH_S, CHECK_EVERY_S
from app.sessions import LinkState
from unit.fakes.participant import Participant
from unit.fakes.world import World
from unit.services.players import started


def away(world: World, count: int = 1) -> list[Participant]:
    """Participants whose connection is lost, one second apart."""
    everybody = [world.connect() for _ in range(count)]
    for participant in everybody:
        participant.lose()
        world.clock.advance(1)
    return everybody


def gone(everybody: list[Participant]) -> list[bool]:
    """Who of them is gone."""
    return [one.session.link.state is LinkState.GONE for one in everybody]


def test_it_does_what_is_due_and_no_more(world: World) -> None:
    """Whose time has come is dealt with; the others are left as they are."""
    everybody = away(world, 3)
    world.clock.advance(15 - 3 - 0.5)
    assert world.sweeper.sweep() == 0
    world.clock.advance(1.5)
    assert world.sweeper.sweep() == 2
    assert gone(everybody) == [True, True, False]
    assert world.sweeper.sweep() == 0


def test_games_are_due_too(world: World) -> None:
    """A game that has not started has its deadline in the same place."""
    one, other = world.connect(), world.connect()
    for participant in (one, other):
        participant.join()
    world.clock.advance(180)
    assert world.sweeper.sweep() == 1
    assert one.heard("game_ended")[0]["reason"] == "start_timeout"


def test_the_log_and_the_partner_hear_of_it_once(world: World) -> None:
    """However often it sweeps."""
    one, other = started(world)
    one.lose()
    world.clock.advance(15)
    for _ in range(5):
        world.sweeper.sweep()
    assert len(world.log("session_gone")) == len(world.log("cleanup_done")) == 1
    assert len(other.heard("game_ended")) == 1


def test_it_notes_that_the_server_is_alive(world: World) -> None:
    """Not with every sweep: each is a write."""
    start = world.clock.now()
    world.sweeper.sweep()
    world.clock.advance(ALIVE_EVERY_S / 2)
    world.sweeper.sweep()
    assert world.store.alive_at() == start
    world.clock.advance(ALIVE_EVERY_S / 2)
    world.sweeper.sweep()
    assert world.store.alive_at() == world.clock.now()


def test_chores_are_done_with_every_sweep(world: World) -> None:
    """With the time of the sweep."""
    done: list[float] = []
    world.sweeper.chores.append(done.append)
    world.sweeper.sweep()
    world.clock.advance(1)
    world.sweeper.sweep()
    assert done == [world.clock.now() - 1, world.clock.now()]


def test_who_waits_is_served_in_between(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand who are due at once are taken in parts, without a pause between them."""
    monkeypatch.setattr(module, "BATCH", 2)
    everybody = away(world, 5)
    world.clock.advance(100)
    assert world.sweeper.sweep() == 2
    assert gone(everybody) == [True, True, False, False, False]
    assert world.sweeper._woken.is_set()
    assert [world.sweeper.sweep() for _ in range(3)] == [2, 1, 0]


def test_others_run_between_two_sweeps(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """To wait for an event that is set already would let nobody run (gevent)."""
    sweeps: list[float] = []
    slept: list[float] = []

    def stop_later(now: float) -> None:
        sweeps.append(now)
        world.sweeper.wake()
        world.core.stopping = len(sweeps) == 3

    world.sweeper.chores.append(stop_later)
    monkeypatch.setattr(world.clock, "sleep", slept.append)
    world.sweeper.run()
    assert slept == [BREATH_S] * 3


def test_a_room_is_read_once_for_all_who_are_due(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read for each of them, 500 who vanish would hold everybody else up for seconds."""
    one, other = world.connect(), world.connect()
    one.join()
    one.lose()
    other.join()
    other.lose()
    world.clock.advance(15)
    rooms: list[str] = []
    monkeypatch.setattr(world.waiting, "refresh", rooms.append)
    assert world.sweeper.sweep() == 2
    assert gone([one, other]) == [True, True]
    assert rooms == ["match"] * 2  # Once for both, and once because it is checked now and then.


@pytest.mark.parametrize(
    "error", [GraceError("ours"), StoreBusy("another process"), KeyError("a fault")]
)
def test_one_that_fails_does_not_keep_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """It is logged and comes up again with the next sweep."""
    everybody = away(world, 3)
    world.clock.advance(100)
    change = world.store.change

    def fail_once(session_id: str, *rest: Any) -> Any:
        if session_id == everybody[0].session_id:
            monkeypatch.undo()
            raise error
        return change(session_id, *rest)

    monkeypatch.setattr(world.store, "change", fail_once)
    with capture_logs() as logged:
        world.sweeper.sweep()
    assert gone(everybody) == [False, True, True]
    assert "deadline_failed" in [entry["event"] for entry in logged]
    world.sweeper.sweep()
    assert gone(everybody) == [True, True, True]


def test_one_that_was_pruned_meanwhile_is_no_error(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was due a moment ago is read again."""
    (one,) = away(world)
    world.clock.advance(100)
    due = world.store.due_before(world.clock.now(), 10)
    world.advance(4000)
    assert world.store.sessions() == []
    monkeypatch.setattr(world.store, "due_before", lambda now, limit: due)
    with capture_logs() as logged:
        assert world.sweeper.sweep() == 1
    assert logged == []
    assert one.opened


def test_a_game_whose_refresh_was_lost_is_made_good(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A game that has not ended and has a member who is gone ends all the same."""
    one, other = started(world)
    with monkeypatch.context() as patch:
        patch.setattr(world.core.effects, "perform", lambda session_id, effect: None)
        one.say("leave")
    assert other.heard("game_ended") == []
    world.advance(2 * CHECK_EVERY_S)
    assert [ended["reason"] for ended in other.heard("game_ended")] == ["player_left"]


def test_games_are_checked_a_few_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not with every sweep: nobody waits for a check that finds nothing."""
    monkeypatch.setattr(module, "CHECKED_AT_ONCE", 2)
    for _ in range(5):
        started(world)
    checked: list[str] = []
    monkeypatch.setattr(world.games, "refresh", checked.append)
    counts = []
    for _ in range(5):
        world.sweeper.sweep()
        counts.append(len(checked))
    assert counts == [2, 4, 5, 5, 5]
    assert set(checked) == set(world.store.unended_games())


@pytest.mark.parametrize("error", [StoreBusy("another process"), RuntimeError("a fault")])
def test_nothing_ends_the_sweeper(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Every grace depends on it: what goes wrong is logged, and it sweeps again."""
    (one,) = away(world)
    world.clock.advance(100)
    sweeps: list[int] = []

    def stop_later(now: float) -> None:
        sweeps.append(1)
        world.core.stopping = len(sweeps) == 2
        world.sweeper.wake()
        if len(sweeps) == 1:
            raise error

    world.sweeper.chores.append(stop_later)
    with capture_logs() as logged:
        world.sweeper.run()
    assert len(sweeps) == 2
    assert "chore_failed" in [entry["event"] for entry in logged]
    assert gone([one]) == [True]


def test_a_stopping_server_sweeps_no_more(world: World) -> None:
    """What is due then is left to the next start."""
    away(world)
    world.clock.advance(100)
    world.core.stopping = True
    world.sweeper.run()
    assert world.log("session_gone") == []


def test_without_grace_it_is_woken(world: World) -> None:
    """A deadline of now does not wait for the next tick."""
    world = World(loading_grace=False)
    participant = world.connect()
    world.disconnect(participant.sid)
    assert not world.sweeper._woken.is_set()
    world.inbox.drain()
    assert world.sweeper._woken.is_set()
    assert gone([participant]) == [False]
    world.sweeper.sweep()
    assert gone([participant]) == [True]


def test_chores_are_done_while_the_store_fails(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has no session is shown out, also while the disk is full."""

    def fail(now: float) -> None:
        raise StoreBusy("the disk is full")

    done: list[float] = []
    world.sweeper.chores.append(done.append)
    monkeypatch.setattr(world.store, "mark_alive", fail)
    world.clock.advance(5)
    with pytest.raises(StoreBusy):
        world.sweeper.sweep()
    assert done == [world.clock.now()]
