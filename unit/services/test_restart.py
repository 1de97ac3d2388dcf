"""A restarted server takes over what the one before it left (`recover`, at every start)."""

from app.sessions import LinkState, PlaceState
from app.studies import End
from unit.fakes.studies import game_scene, one_game, study_of
from unit.fakes.world import World
from unit.services.players import started


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
