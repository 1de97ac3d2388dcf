"""Rules 10 and 11: a seat is kept, a game pauses and goes on, and ends once with the reason."""

from typing import Any

import pytest

from unit.fakes.pairs import matched_pair, running_pair
from unit.fakes.participant import Participant
from unit.fakes.world import World


def play(ann: Participant, bob: Participant, frames: range) -> None:
    """Both send an action for each of these frames."""
    for frame in frames:
        ann.act(frame, action=1)
        bob.act(frame, action=2)


def reasons(participant: Participant) -> list[str]:
    """Why the games ended that a participant was told of."""
    return [ended["reason"] for ended in participant.heard("game_ended")]


def test_rule_10_a_returning_player_gets_the_game_back(world: World) -> None:
    """The seat, the seed, and every action since the last frame that the page has."""
    ann, bob = running_pair(world)
    (matched,) = ann.heard("game_matched")
    play(ann, bob, range(10))
    ann.lose()
    world.advance(5.0)
    ann.come_back(last_frame=8)
    game = ann.opened["game"]
    assert game["game_id"] == matched["game_id"]
    assert (game["seed"], game["you"]) == (matched["seed"], matched["you"])
    assert game["paused"]
    assert (game["from_frame"], game["next_frame"]) == (8, 10)
    assert game["actions"] == [[1, 2]] * 5


def test_rule_10_a_reloaded_page_gets_the_game_from_its_beginning(world: World) -> None:
    """A page that has nothing is given all steps, those of the input delay included."""
    ann, bob = running_pair(world)
    play(ann, bob, range(4))
    ann.lose(1001)
    ann.reload()
    assert ann.opened["game"]["from_frame"] == 0
    assert ann.opened["game"]["actions"] == [[0, 0]] * 3 + [[1, 2]] * 4


@pytest.mark.parametrize("last_frame", [14, 500])
def test_rule_10_a_frame_that_never_was_is_not_believed(world: World, last_frame: int) -> None:
    """A page that claims frames of another game is given this one from its beginning."""
    ann, bob = running_pair(world)
    play(ann, bob, range(10))
    ann.lose()
    ann.come_back(last_frame=last_frame)
    assert ann.opened["game"]["from_frame"] == 0


def test_rule_10_the_scene_comes_back(world: World) -> None:
    """Who returns is in the scene in which they were."""
    ann, bob = running_pair(world)
    bob.say("leave")
    ann.say("advance_scene", scene_id="match")
    ann.lose()
    ann.come_back()
    assert ann.opened["scene"]["scene_id"] == "questions"


def test_rule_11_a_running_game_pauses_for_everybody(world: World) -> None:
    """A player who is away pauses the game; it goes on when they are back and ready."""
    ann, bob = running_pair(world)
    play(ann, bob, range(5))
    ann.lose()
    (paused,) = bob.heard("game_paused")
    assert (paused["player"], paused["frame"]) == ("player_0", 8)
    world.advance(5.0)
    ann.come_back(last_frame=8)
    assert not bob.heard("game_resumed")
    ann.declare_ready()
    assert len(ann.heard("game_resumed")) == len(bob.heard("game_resumed")) == 1
    play(ann, bob, range(5, 9))
    steps = [step for told in bob.heard("frame_actions") for step in told["actions"]]
    assert steps == [[1, 2]] * 9


def test_rule_11_a_running_game_pauses_while_a_player_is_busy(world: World) -> None:
    """A connected page that answers nothing pauses the game, and an answer lets it go on."""
    ann, bob = running_pair(world)
    ann.freeze()
    (paused,) = bob.heard("game_paused")
    assert paused["player"] == "player_0"
    assert bob.heard("partner_status")[-1]["link"] == "busy"
    world.advance(5.0)
    assert not bob.heard("game_resumed")
    ann.thaw()
    assert len(ann.heard("game_resumed")) == len(bob.heard("game_resumed")) == 1
    assert bob.heard("partner_status")[-1]["link"] == "connected"
    assert not world.log("link_lost")


def test_rule_11_a_busy_player_who_is_lost_has_a_grace(world: World) -> None:
    """The pause goes on, once, into the time that the player is away."""
    ann, bob = running_pair(world)
    ann.freeze()
    ann.lose()
    world.advance(5.0)
    ann.come_back()
    ann.declare_ready()
    assert len(bob.heard("game_paused")) == len(bob.heard("game_resumed")) == 1
    assert reasons(bob) == []


def test_rule_11_a_busy_player_does_not_hold_the_others_for_ever() -> None:
    """The pause is bounded, should the heartbeat not end the connection before."""
    world = World(game_start_timeout_s=40, ping_timeout_s=60)
    ann, bob = running_pair(world)
    ann.freeze()
    world.advance(40.0)
    assert reasons(ann) == reasons(bob) == ["resume_timeout"]


def test_rule_09_a_game_does_not_start_with_a_busy_player(world: World) -> None:
    """It starts as soon as the page answers."""
    ann, bob = matched_pair(world)
    ann.declare_ready()
    ann.freeze()
    bob.declare_ready()
    assert not bob.heard("game_started")
    ann.thaw()
    assert len(bob.heard("game_started")) == 1


def test_rule_11_partners_are_told_who_is_away_and_for_how_long(world: World) -> None:
    """The partner sees away and the seconds left, then connected again; never gone."""
    ann, bob = running_pair(world)
    ann.start_loading()
    world.advance(10.0)
    ann.lose()
    world.advance(10.0)
    ann.come_back(runtime={"state": "loading", "attempt_id": "attempt_1"})
    told = [
        (one["link"], one["runtime"], one.get("seconds_left"))
        for one in bob.heard("partner_status")
    ]
    assert told[-3:] == [
        ("connected", "loading", 60.0),
        ("away", "loading", 50.0),
        ("connected", "loading", 40.0),
    ]


def test_rule_11_who_returns_is_told_how_the_partners_are(world: World) -> None:
    """A page that comes back while its partner is away learns so at once."""
    ann, bob = running_pair(world)
    ann.lose()
    bob.lose()
    world.advance(3.0)
    bob.come_back()
    (told,) = bob.heard("partner_status")
    assert (told["player"], told["link"], told["seconds_left"]) == ("player_0", "away", 12.0)


def test_rule_11_a_game_ends_when_a_players_deadline_passes(world: World) -> None:
    """Once, with the reason, and the partner goes on with the study."""
    ann, bob = running_pair(world)
    ann.lose()
    world.advance(600.0)
    assert reasons(bob) == ["player_gone"]
    assert bob.heard("game_ended")[0]["place"] == "lobby"
    assert len(world.log("game_ended")) == 1
    assert bob.session.scene.done


def test_rule_11_who_is_back_but_never_ready_does_not_hold_the_others_for_ever() -> None:
    """A pause is bounded: it ends the game with `resume_timeout`, for both."""
    world = World(game_start_timeout_s=40)
    ann, bob = running_pair(world)
    ann.come_back()
    world.advance(40.0)
    assert reasons(ann) == reasons(bob) == ["resume_timeout"]


def test_rule_11_a_later_loss_has_its_whole_grace() -> None:
    """Who is lost near the end of somebody else's pause does not lose the seat before the grace."""
    world = World(game_start_timeout_s=40)
    ann, bob = running_pair(world)
    ann.come_back()
    world.advance(38.0)
    bob.lose()
    ann.declare_ready()
    world.advance(10.0)
    bob.come_back()
    assert bob.opened["place"] == "playing"
    assert reasons(ann) == []


def test_rule_11_a_loading_grace_is_not_cut_by_the_pause() -> None:
    """The game of somebody who is away ends when that deadline passes, not before it."""
    world = World(game_start_timeout_s=40)
    ann, bob = running_pair(world)
    ann.start_loading()
    ann.lose()
    world.advance(59.0)
    assert reasons(bob) == []
    world.advance(1.0)
    assert reasons(bob) == ["player_gone"]


def test_rule_11_an_episode_ends_when_all_are_at_its_end(world: World) -> None:
    """Equal final hashes of all players end the game with the result, once."""
    ann, bob = running_pair(world)
    play(ann, bob, range(4))
    final = {"game_id": ann.game_id, "frame": 6, "hash": "h", "result": {"winner": "player_0"}}
    assert ann.say("game_state_hash", **final)["ok"]
    assert reasons(bob) == []
    assert bob.say("game_state_hash", **final)["ok"]
    assert reasons(ann) == reasons(bob) == ["completed"]
    assert bob.heard("game_ended")[0]["result"]["winner"] == "player_0"
    assert not world.log("partner_told")


@pytest.mark.parametrize("frames", [(5, 5), (5, 6)], ids=["different hashes", "different ends"])
def test_rule_11_players_who_differ_end_the_game(world: World, frames: tuple[int, int]) -> None:
    """A difference is a desync, logged with what both said."""
    ann, bob = running_pair(world)
    play(ann, bob, range(4))
    for player, frame, digest in [(ann, frames[0], "a"), (bob, frames[1], "b")]:
        player.say("game_state_hash", game_id=ann.game_id, frame=frame, hash=digest, result={})
    assert reasons(ann) == reasons(bob) == ["desync"]
    assert set(world.log("desync")[0]["hashes"]) == {"player_0", "player_1"}


def test_rule_11_a_failing_environment_ends_the_game(world: World) -> None:
    """Both are told, and the traceback is in the log."""
    ann, bob = running_pair(world)
    failure: dict[str, Any] = {"game_id": ann.game_id, "frame": 3, "traceback": "ZeroDivisionError"}
    assert ann.say("environment_failed", **failure) == {"ok": True}
    assert reasons(ann) == reasons(bob) == ["environment_failed"]
    assert world.log("environment_failed")[0]["traceback"] == "ZeroDivisionError"


def test_rule_11_nobody_acts_before_the_start_or_out_of_turn(world: World) -> None:
    """An action before the start, or with a gap, is refused and relayed to nobody."""
    ann, bob = matched_pair(world)
    assert ann.act(0)["error"]["code"] == "out_of_turn"
    ann.declare_ready()
    bob.declare_ready()
    assert ann.act(1)["error"]["code"] == "out_of_turn"
    assert bob.act(0)["ok"]
    assert not ann.heard("frame_actions")
