"""Actions travel through the server, and browsers are held to the same states."""

import json
from typing import Any

import pytest

from app.protocol import ErrorCode
from unit.fakes.participant import Participant
from unit.fakes.world import World
from unit.services.players import forgotten, seated, started, step


def finish(participant: Participant, frame: int, digest: str = "a", **result: Any) -> Any:
    """Say that the episode is over at that frame."""
    return participant.say(
        "game_state_hash", game_id=participant.game_id, frame=frame, hash=digest, result=result
    )


class TestActions:
    """Actions travel through the server, which keeps them."""

    def test_a_step_is_relayed_when_it_is_complete(self, world: World) -> None:
        """To all players, with the number of its first frame, in the order of the seats."""
        one, other = started(world)
        one.act(0, 1)
        assert one.heard("frame_actions") == []
        other.act(0, 2)
        for participant in (one, other):
            assert participant.heard("frame_actions") == [
                {"game_id": one.game_id, "from_frame": 3, "actions": [[1, 2]]}
            ]

    def test_several_steps_travel_together(self, world: World) -> None:
        """When one player is behind, what was waited for comes at once."""
        one, other = started(world)
        for frame in range(3):
            one.act(frame, frame)
        other.act(0, 7)
        step_of_both = other.heard("frame_actions")
        assert [delivery["actions"] for delivery in step_of_both] == [[[0, 7]]]
        other.act(1, 8)
        assert other.heard("frame_actions")[-1] == {
            "game_id": one.game_id, "from_frame": 4, "actions": [[1, 8]],
        }  # fmt: skip

    def test_an_old_action_is_passed_over(self, world: World) -> None:
        """A page that is not sure sends again; the first word counts."""
        players = started(world)
        step(players, 0, 1, 2)
        assert players[0].act(0, 9) == {"ok": True}
        assert len(players[0].heard("frame_actions")) == 1

    @pytest.mark.parametrize("frame", [1, 5, 10**9])
    def test_a_gap_is_out_of_turn(self, world: World, frame: int) -> None:
        """Frames follow each other, and the refusal says which one is expected."""
        one, _ = started(world)
        answer = one.act(frame)
        assert answer["error"]["code"] == ErrorCode.OUT_OF_TURN
        assert "frame 0" in answer["error"]["message"]

    def test_nobody_runs_ahead(self, world: World) -> None:
        """A player can send no action of a frame that nobody can have come to yet."""
        one, _ = started(world)
        for frame in range(4):
            assert one.act(frame)["ok"]
        assert one.act(4)["error"]["code"] == ErrorCode.OUT_OF_TURN

    @pytest.mark.parametrize("action", [3, True, 0.5, [1, 0, 1]])
    def test_every_kind_of_action_arrives_as_it_is(self, world: World, action: Any) -> None:
        """Numbers and flat lists of them."""
        one, other = started(world)
        one.say("player_action", game_id=one.game_id, frame=0, action=action)
        other.act(0, 0)
        (delivery,) = other.heard("frame_actions")
        assert json.dumps(delivery["actions"]) == json.dumps([[action, 0]])

    def test_no_action_counts_before_the_start(self, world: World) -> None:
        """A game that has only been matched takes none."""
        one, _ = seated(world)
        assert one.act(0)["error"]["code"] == ErrorCode.OUT_OF_TURN

    def test_actions_are_taken_while_a_game_is_paused(self, world: World) -> None:
        """Those that were on their way when it was paused are not lost."""
        one, other = started(world)
        other.lose()
        assert one.act(0, 1) == {"ok": True}


class TestHashes:
    """Browsers step alike, and the server holds them to it."""

    def test_equal_states_are_no_news(self, world: World) -> None:
        """Nothing is sent and nothing logged while players agree."""
        players = started(world)
        before = world.log()
        for participant in players:
            answer = participant.say(
                "game_state_hash", game_id=participant.game_id, frame=3, hash="a"
            )
            assert answer == {"ok": True}
        assert world.log() == before

    def test_a_difference_ends_the_game(self, world: World) -> None:
        """With `desync`, logged with both hashes."""
        one, other = started(world)
        game_id = one.game_id
        for participant, digest in ((one, "a"), (other, "b")):
            participant.say("game_state_hash", game_id=game_id, frame=3, hash=digest)
        (entry,) = world.log("desync")
        assert (entry["game_id"], entry["frame"]) == (game_id, 3)
        assert entry["hashes"] == {"player_0": "a", "player_1": "b"}
        assert [ended["reason"] for ended in one.heard("game_ended")] == ["desync"]
        assert forgotten(world)

    def test_a_frame_that_has_not_come_has_no_state(self, world: World) -> None:
        """Nobody can know it."""
        one, _ = started(world)
        answer = one.say("game_state_hash", game_id=one.game_id, frame=4, hash="a")
        assert answer["error"]["code"] == ErrorCode.OUT_OF_TURN

    def test_an_episode_ends_when_all_are_at_its_end(self, world: World) -> None:
        """The same frame and the same state from everybody: completed, with the result."""
        one, other = players = started(world)
        game_id = one.game_id
        step(players, 0, 0, 0)
        finish(one, 4, rewards={"player_0": 1.5})
        assert world.log("game_ended") == []
        finish(other, 4, rewards={"player_0": 1.5})
        result = {"rewards": {"player_0": 1.5}, "frame": 4, "hash": "a"}
        for participant in players:
            assert participant.heard("game_ended") == [
                {"game_id": game_id, "reason": "completed", "place": "lobby", "result": result}
            ]
            assert participant.session.scene.done
        game = world.store.game(game_id)
        assert game is not None
        assert (game.reason, game.result, game.frames) == ("completed", result, 4)
        (entry,) = world.log("game_ended")
        assert (entry["reason"], entry["result"], entry["frame"]) == ("completed", result, 4)
        assert forgotten(world)

    def test_saying_it_again_ends_nothing_twice(self, world: World) -> None:
        """A page repeats its final hash until it is acknowledged, also after the end."""
        one, other = started(world)
        game_id = one.game_id
        finish(one, 3)
        finish(one, 3)
        finish(other, 3)
        answer = one.say("game_state_hash", game_id=game_id, frame=3, hash="a", result={})
        assert answer["error"]["code"] == ErrorCode.UNKNOWN_GAME
        assert len(world.log("game_ended")) == 1

    def test_different_ends_are_a_desync(self, world: World) -> None:
        """When one player's episode is over a frame before the other's."""
        one, other = players = started(world)
        step(players, 0, 0, 0)
        finish(one, 3)
        finish(other, 4)
        assert [entry["reason"] for entry in world.log("game_ended")] == ["desync"]

    def test_a_result_before_the_start_is_out_of_turn(self, world: World) -> None:
        """An episode that nobody stepped is not over."""
        one, other = seated(world)
        for participant in (one, other):
            answer = participant.say(
                "game_state_hash", game_id=participant.game_id, frame=0, hash="a", result={}
            )
            assert not answer["ok"]
            assert answer["error"]["code"] == ErrorCode.OUT_OF_TURN
        assert world.log("game_ended") == []


class TestEnvironmentFailed:
    """An environment that raises ends the game for everybody."""

    def test_the_traceback_is_logged_and_all_are_told(self, world: World) -> None:
        """The log says whose browser, where and why; the players are told that it failed."""
        one, other = started(world)
        game_id = one.game_id
        one.say("environment_failed", game_id=game_id, frame=7, traceback="Traceback ...")
        (entry,) = world.log("environment_failed")
        assert (entry["session_id"], entry["player"]) == (one.session_id, "player_0")
        assert (entry["frame"], entry["traceback"]) == (7, "Traceback ...")
        for participant in (one, other):
            (ended,) = participant.heard("game_ended")
            assert (ended["reason"], ended["place"]) == ("environment_failed", "lobby")
            assert "Traceback" not in json.dumps(ended)
        assert forgotten(world)

    def test_a_game_that_cannot_begin_is_not_tried_again(self, world: World) -> None:
        """Whose environment raises in `reset` would be matched, and fail, without end."""
        one, _ = seated(world)
        one.say("environment_failed", game_id=one.game_id, frame=0, traceback="Traceback ...")
        assert one.heard("game_ended")[0]["place"] == "lobby"
        assert len(world.log("game_matched")) == 1
