"""A restarted server takes over what the one before it left (`recover`, at every start)."""

from itertools import count
from typing import TypeVar

import pytest

from app.clock import ManualClock
from app.errors import StoreError
from app.games import Game
from app.sessions import LinkState, PlaceState, Session
from app.stores.sqlite import SqliteStore
from app.studies import End
from unit.fakes.studies import game_scene, one_game, study_of
from unit.fakes.world import World
from unit.services.players import started

Found = TypeVar("Found")


def test_a_first_start_takes_over_nothing() -> None:
    """A new store is only told that a server is alive."""
    world = World()
    assert world.log() == []
    assert world.store.alive_at() == world.clock.now()


def test_the_log_says_how_long_nobody_was_there(world: World) -> None:
    """Counted from the last sign of life."""
    after = world.restart(down_s=12.5)
    (entry,) = after.log("server_restarted")
    assert (entry["session_id"], entry["down_s"]) == (None, 12.5)
    assert after.store.alive_at() == after.clock.now()


def test_who_was_connected_is_away(world: World) -> None:
    """With a full grace from now on, and the credential they had."""
    participant = world.connect()
    after = world.restart(down_s=100)
    link = participant.session.link
    assert (link.state, link.deadline) == (LinkState.AWAY, after.clock.now() + 15)
    (lost,) = after.log("link_lost")
    assert (lost["reason"], lost["close_code"]) == ("server_restart", None)
    participant.move_to(after)
    participant.come_back()
    assert participant.opened["resumed"] is True


def test_a_deadline_moves_by_the_time_nobody_was_there(world: World) -> None:
    """Never to less than a full reconnect grace, and never before."""
    participant = world.connect()
    participant.start_loading()
    participant.lose()
    deadline = participant.session.link.deadline
    assert deadline is not None
    world.restart(down_s=30)
    assert participant.session.link.deadline == deadline + 30


def test_who_waited_waits(world: World) -> None:
    """The place in the queue is kept, and its deadline moves too."""
    participant = world.connect()
    participant.join()
    before = participant.session.place
    after = world.restart(down_s=30)
    place = participant.session.place
    assert place.state is PlaceState.WAITING
    assert place.queued_at == before.queued_at
    assert before.deadline is not None
    assert place.deadline == before.deadline + 30
    other = after.connect()
    other.join()
    participant.move_to(after)
    participant.come_back()
    assert participant.session.place.state is PlaceState.PLAYING


def test_games_end(world: World) -> None:
    """Their actions were in memory; the players go on with the study."""
    one, other = started(world)
    game_id = one.game_id
    after = world.restart(down_s=3)
    game = after.store.game(game_id)
    assert game is not None
    assert game.reason == "server_restarted"
    for participant in (one, other):
        assert participant.session.place.state is PlaceState.LOBBY
        assert participant.session.scene.done
        participant.move_to(after)
        participant.come_back()
        assert "game" not in participant.opened
    assert after.store.unended_games() == []
    assert not after.games._live
    assert not after.games._partners._told


def test_who_is_gone_stays_gone(world: World) -> None:
    """A restart brings nobody back, and prunes in its time."""
    participant = world.connect()
    participant.say("leave")
    after = world.restart(down_s=10)
    assert participant.session.link.state is LinkState.GONE
    after.clock.advance(3600)
    after.sweeper.sweep()
    assert after.store.sessions() == []


class DyingStore(SqliteStore):
    """A store in memory whose process is killed after some changes.

    Attributes:
        changes_left: how many are still made; None: all.
    """

    changes_left: int | None = None

    def _begin(self) -> None:
        if self.changes_left is not None:
            self.changes_left -= 1
            if self.changes_left < 0:
                raise SystemExit("killed")
        super()._begin()


def test_a_start_that_is_cut_short_moves_nothing_twice() -> None:
    """Wherever a start is killed, the next one moves every deadline by the whole time, once."""
    for changes in count():
        clock = ManualClock()
        store = DyingStore(":memory:", sleep=clock.sleep)
        world = World(clock=clock, store=store)
        started(world)
        lost = [world.connect() for _ in range(3)]
        for participant in lost:
            participant.start_loading()
            participant.lose()
        store.changes_left = changes
        try:
            world.restart(down_s=500)
        except SystemExit:
            store.changes_left = None
            world.restart()
        else:
            assert changes > 1
            return
        assert {one.session.link.deadline for one in lost} == {clock.now() + 60}
        assert len(world.log("server_restarted")) <= 2
        assert world.store.unended_games() == []


class OlderStore(SqliteStore):
    """A store in memory with records that another version made.

    Attributes:
        unreadable: the verb that cannot read one.
    """

    unreadable = ""

    def sessions(self) -> list[Session]:
        """Every session, as long as they can be read."""
        return self._unless_unreadable("sessions", super().sessions())

    def game(self, game_id: str) -> Game | None:
        """The game of that id, as long as it can be read."""
        return self._unless_unreadable("game", super().game(game_id))

    def _unless_unreadable(self, verb: str, found: Found) -> Found:
        if verb == self.unreadable:
            raise ValueError("the store has a record that this server cannot read")
        return found


@pytest.mark.parametrize("verb", ["sessions", "game"])
def test_records_of_another_version_end_the_start_and_nothing_else(verb: str) -> None:
    """A sentence for the operator, and a store that the server which made it can go on with."""
    clock = ManualClock()
    store = OlderStore(":memory:", sleep=clock.sleep)
    world = World(clock=clock, store=store)
    started(world)
    before = store.sessions(), store.games(), store.events(), store.alive_at()
    store.unreadable = verb
    with pytest.raises(StoreError, match="cannot read"):
        world.restart(down_s=5)
    store.unreadable = ""
    assert (store.sessions(), store.games(), store.events(), store.alive_at()) == before


def test_a_clock_that_went_back_takes_deadlines_back_with_it(world: World) -> None:
    """A wall clock that was set back while no server ran neither stretches nor ends a grace."""
    participant = world.connect()
    world.store.mark_alive(world.clock.now() + 500)
    after = world.restart()
    assert after.log("server_restarted")[0]["down_s"] == -500.0
    assert participant.session.link.deadline == after.clock.now() + 15


def test_a_store_of_another_study_is_taken_over_too(world: World) -> None:
    """The default file is the same for every study, so a game of another one may be in it."""
    started(world)
    other = study_of(
        game_scene(scene_id="other"), End(scene_id="end", title="E", markdown=""), study_id="other"
    )
    after = World(other, clock=world.clock, store=world.store)
    assert after.store.unended_games() == []
    assert {one.link.state for one in after.store.sessions()} == {LinkState.AWAY}
    after.advance(60)
    assert {one.link.state for one in after.store.sessions()} == {LinkState.GONE}


def test_a_scene_that_was_renamed_is_no_error(world: World) -> None:
    """The same study, changed while the server was down: who waited there is not matched."""
    waiting = world.connect()
    waiting.join()
    after = World(one_game(scene_id="renamed"), clock=world.clock, store=world.store)
    after.advance(60)
    assert waiting.session.link.state is LinkState.GONE
