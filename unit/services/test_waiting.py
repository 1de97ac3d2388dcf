"""A waiting room is derived from the sessions in it; who waits is told when it changes."""

import pytest

from app.studies import End
from unit.fakes.participant import Participant
from unit.fakes.studies import game_scene, one_game, study_of
from unit.fakes.world import World

END = End(scene_id="end", title="End", markdown="")


@pytest.fixture
def world() -> World:
    """A game for three."""
    return World(one_game(players=3, waiting_timeout_s=600.0))


def arrive(world: World, count: int = 1) -> list[Participant]:
    """So many participants who queue, one after the other."""
    everybody = []
    for _ in range(count):
        participant = world.connect()
        participant.join()
        world.clock.advance(1)
        everybody.append(participant)
    return everybody


def rooms(participant: Participant) -> list[tuple[int, int]]:
    """What a participant was told: how many wait, of how many."""
    return [(room["waiting"], room["needed"]) for room in participant.heard("waiting_room")]


def test_who_waits_is_told_how_it_stands(world: World) -> None:
    """How many wait, how many are needed, and how long the wait can last at most."""
    (one,) = arrive(world)
    assert one.heard("waiting_room") == [{"waiting": 1, "needed": 3, "seconds_left": 600.0}]


def test_everybody_is_told_when_it_changes(world: World) -> None:
    """Who was there already hears of the one who came, and of the one who left."""
    one, other = arrive(world, 2)
    assert rooms(one) == [(1, 3), (2, 3)]
    assert rooms(other) == [(2, 3)]
    assert one.heard("waiting_room")[-1]["seconds_left"] == 599.0
    other.say("leave")
    assert rooms(one) == [(1, 3), (2, 3), (1, 3)]


def test_nobody_is_told_what_they_know(world: World) -> None:
    """A refresh that changes nothing sends nothing: a loading page is sent little."""
    (one,) = arrive(world)
    for _ in range(5):
        world.waiting.refresh("match")
    one.start_loading()
    one.complete_loading()
    one.join()
    assert rooms(one) == [(1, 3)]


def test_without_a_limit_there_are_no_seconds(world: World) -> None:
    """A wait without an end counts nothing down."""
    world = World(one_game(waiting_timeout_s=None))
    (one,) = arrive(world)
    assert one.heard("waiting_room")[0]["seconds_left"] is None
    world.clock.advance(10_000)
    world.sweeper.sweep()
    assert one.session.place.state == "waiting"


def test_who_is_away_keeps_the_place_but_is_not_counted(world: World) -> None:
    """The others see how many can be matched; who comes back hears how it stands now."""
    one, other = arrive(world, 2)
    one.lose()
    assert rooms(other) == [(2, 3), (1, 3)]
    queued_at = one.session.place.queued_at
    one.come_back()
    assert one.session.place.queued_at == queued_at
    assert rooms(one) == [(2, 3)]
    assert rooms(other) == [(2, 3), (1, 3), (2, 3)]


def test_who_is_away_is_passed_over(world: World) -> None:
    """The match is made without them, and does not wait for them."""
    gone, *others = arrive(world, 2)
    gone.lose()
    others += arrive(world, 2)
    assert [one.session.place.state for one in others] == ["playing"] * 3
    assert gone.session.place.state == "waiting"


def test_who_failed_to_load_is_passed_over(world: World) -> None:
    """They keep their place, and are matched once a retry succeeds."""
    one, *others = arrive(world, 2)
    one.start_loading()
    one.complete_loading(error="no memory")
    assert rooms(others[0])[-1] == (1, 3)
    others += arrive(world, 1)
    assert [other.session.place.state for other in others] == ["waiting"] * 2
    one.start_loading("attempt_2")
    assert [other.session.place.state for other in others] == ["playing"] * 2


def test_several_games_are_made_at_once(world: World) -> None:
    """When many become free together, as after an outage, all who can play do."""
    everybody = arrive(world, 2)
    for one in everybody:
        one.lose()
    arrived = []
    for _ in range(2):
        arrived += arrive(world, 2)
        for one in arrived[-2:]:
            one.lose()
    everybody += arrived
    world.outbox.open.clear()
    for one in everybody:
        one.come_back()
    assert [one.session.place.state for one in everybody] == ["playing"] * 6
    assert len(world.store.games()) == 2


def test_the_first_to_come_are_the_first_to_play(world: World) -> None:
    """Who is one too many waits for the next."""
    everybody = arrive(world, 4)
    assert [one.session.place.state for one in everybody] == ["playing"] * 3 + ["waiting"]
    assert rooms(everybody[3]) == [(1, 3)]


def test_rooms_do_not_disturb_each_other() -> None:
    """A study may have several games; whoever waits for one hears of that one only."""
    world = World(study_of(game_scene(), game_scene(scene_id="second", players=3), END))
    first, later = world.connect(), world.connect()
    world.sessions.show_next_scene(later.session_id, "match")
    later.join()
    assert rooms(later) == [(1, 3)]
    first.join()
    assert rooms(first) == [(1, 2)]
    world.waiting.refresh("second")
    world.waiting.refresh("match")
    world.waiting.refresh("second")
    assert (rooms(first), rooms(later)) == ([(1, 2)], [(1, 3)])


@pytest.mark.parametrize("scene_id", ["questions", "end", "nowhere"])
def test_what_is_no_game_has_no_room(world: World, scene_id: str) -> None:
    """Refreshing it is no error: a study may have changed since a session queued."""
    arrive(world)
    before = len(world.outbox.emitted)
    world.waiting.refresh(scene_id)
    assert len(world.outbox.emitted) == before


def test_nothing_is_kept_of_who_left(world: World) -> None:
    """What was told is remembered of those who wait, and of nobody else."""
    for _ in range(5):
        for participant in arrive(world, 2):
            participant.say("leave")
    assert not any(world.waiting._told.values())


def test_a_lost_refresh_is_made_good(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits is matched by the sweeper, should the effect have been lost after the save."""
    everybody = arrive(world, 2)
    with monkeypatch.context() as patch:
        patch.setattr(world.core.effects, "perform", lambda session_id, effect: None)
        everybody += arrive(world, 1)
    assert [one.session.place.state for one in everybody] == ["waiting"] * 3
    world.advance(10)
    assert [one.session.place.state for one in everybody] == ["playing"] * 3
