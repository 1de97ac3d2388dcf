"""Rules 9 and 10: who is matched, and what becomes of a game that does not start."""

import pytest

from unit.fakes.pairs import come_to_wait, matched_pair
from unit.fakes.participant import Participant
from unit.fakes.studies import game_scene, one_game, study_of
from unit.fakes.told import told
from unit.fakes.world import World


def are_together(first: Participant, second: Participant) -> bool:
    """Whether the two have seats in one game."""
    game_id = first.session.place.game_id
    return game_id is not None and game_id == second.session.place.game_id


def test_rule_09_who_loads_or_has_not_begun_is_matched(world: World) -> None:
    """Waiting for a partner and loading overlap: neither waits for the other to be done."""
    ann = world.connect()
    ann.join()
    ann.start_loading()
    bob = world.connect()
    bob.join()
    assert are_together(ann, bob)
    (matched,) = ann.heard("game_matched")
    assert matched["players"] == ["player_0", "player_1"]
    assert matched["seed"] == bob.heard("game_matched")[0]["seed"]
    assert {matched["you"], bob.heard("game_matched")[0]["you"]} == {"player_0", "player_1"}
    assert {told["runtime"] for told in bob.heard("partner_status")} == {"loading"}


def test_rule_09_a_game_starts_when_everybody_is_connected_and_ready(world: World) -> None:
    """One who is ready waits for the other; who was lost has to be ready again."""
    ann, bob = matched_pair(world)
    ann.declare_ready()
    ann.lose()
    bob.declare_ready()
    world.advance(1.0)
    ann.come_back()
    assert not bob.heard("game_started")
    assert ann.opened["game"]["started"] is False
    ann.declare_ready()
    assert len(ann.heard("game_started")) == len(bob.heard("game_started")) == 1


def test_rule_09_an_unstarted_game_is_given_up_in_time() -> None:
    """At its start deadline a game ends, all are told why, and all are in the queue again."""
    world = World(one_game(on_unstarted="requeue"), game_start_timeout_s=30)
    ann, bob = matched_pair(world)
    first_game = ann.game_id
    ann.declare_ready()
    world.advance(30.0)
    for somebody in (ann, bob):
        (ended,) = somebody.heard("game_ended")
        assert (ended["game_id"], ended["reason"]) == (first_game, "start_timeout")
        assert ended["place"] == "waiting"
    assert are_together(ann, bob)
    assert ann.game_id != first_game


def test_rule_09_or_they_go_on_with_the_study() -> None:
    """As the study says, who was left without a game may go on instead of waiting again."""
    world = World(one_game(on_unstarted="continue"), game_start_timeout_s=30)
    ann, bob = matched_pair(world)
    world.advance(30.0)
    for somebody in (ann, bob):
        assert somebody.heard("game_ended")[0]["place"] == "lobby"
        answer = somebody.say("advance_scene", scene_id="match")
        assert answer == {"ok": True, "scene_id": "questions"}


@pytest.mark.parametrize("leaves", [True, False], ids=["leaves", "does not come back"])
def test_rule_09_who_is_left_goes_to_the_front_of_the_queue(world: World, leaves: bool) -> None:
    """A player who goes sends the partner back before everybody who came later."""
    ann, bob = matched_pair(world)
    carol = come_to_wait(world)
    if leaves:
        ann.say("leave")
    else:
        ann.lose()
        world.advance(15.0)
    assert bob.heard("game_ended")[0]["place"] == "waiting"
    assert are_together(bob, carol)
    assert bob.heard("game_matched")[-1]["you"] == "player_0"


def test_rule_09_a_failed_player_ends_the_game_and_is_not_matched(world: World) -> None:
    """Whose Python failed keeps the place in the queue, and is matched once loading again."""
    ann, bob = matched_pair(world)
    ann.start_loading()
    ann.complete_loading(error="out of memory")
    assert bob.heard("game_ended")[0]["reason"] == "player_failed"
    assert ann.heard("game_ended")[0]["place"] == "waiting"
    assert not are_together(ann, bob)
    carol = come_to_wait(world)
    assert are_together(bob, carol)
    dave = come_to_wait(world)
    assert dave.session.place.state == "waiting"
    ann.start_loading("attempt_2")
    assert are_together(ann, dave)
    assert ann.heard("game_matched")[-1]["you"] == "player_0"


def test_rule_09_nobody_is_matched_whose_python_had_failed(world: World) -> None:
    """A failed preload keeps somebody in the queue, visibly to nobody as a partner."""
    ann = world.connect()
    ann.start_loading()
    ann.complete_loading(error="out of memory")
    ann.join()
    bob = come_to_wait(world)
    assert bob.session.place.state == "waiting"
    assert bob.heard("waiting_room")[-1] == {"waiting": 1, "needed": 2, "seconds_left": 600.0}


def test_rule_09_who_finds_nobody_goes_on() -> None:
    """After the scene's waiting time the study goes on without the game."""
    world = World(one_game(waiting_timeout_s=40.0))
    ann = come_to_wait(world)
    world.advance(40.0)
    assert ann.heard("scene_activated")[-1]["scene_id"] == "questions"
    assert ann.session.place.state == "lobby"


def test_rule_09_who_finds_nobody_in_the_last_scene_is_told_so() -> None:
    """A study may end with a game; who waited for it long enough does not wait without knowing."""
    world = World(study_of(game_scene(waiting_timeout_s=40.0)))
    ann = come_to_wait(world)
    world.advance(40.0)
    assert ann.session.place.state == "lobby"
    assert told(ann).place == "lobby"


def test_rule_10_who_is_away_keeps_the_place_in_the_queue(world: World) -> None:
    """Away: not matched. Back: matched before everybody who came later."""
    ann = come_to_wait(world)
    ann.start_loading()
    ann.lose()
    bob = come_to_wait(world)
    assert (ann.session.place.state, bob.session.place.state) == ("waiting", "waiting")
    world.advance(30.0)
    ann.come_back()
    assert ann.opened["place"] == "waiting"
    assert are_together(ann, bob)
    assert ann.heard("game_matched")[0]["you"] == "player_0"


def test_rule_10_a_waiting_time_that_ends_while_away_is_not_the_end(world: World) -> None:
    """The wait of somebody who is away is decided when they are back."""
    ann = come_to_wait(world)
    world.advance(590.0)
    ann.lose()
    world.advance(14.0)
    ann.come_back()
    assert ann.opened["scene"]["scene_id"] == "match"
    world.advance(1.0)
    assert ann.heard("scene_activated")[0]["scene_id"] == "questions"


def test_rule_10_who_returns_is_told_of_the_waiting_room() -> None:
    """A page that comes back in a queue is told how it stands, though nothing is new to others."""
    world = World(one_game(players=3))
    ann, bob = come_to_wait(world), come_to_wait(world)
    told = len(bob.heard("waiting_room"))
    ann.come_back()
    assert ann.heard("waiting_room")[0]["waiting"] == 2
    assert len(bob.heard("waiting_room")) == told
