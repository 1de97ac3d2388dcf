"""Sessions load, wait, go on and leave."""

from typing import Any

import pytest

from app.protocol import ErrorCode
from app.sessions import LinkState, WhyGone
from app.studies import End, Text
from unit.fakes.studies import game_scene, one_game, study_of
from unit.fakes.world import World

TEXT = Text(scene_id="welcome", title="Welcome", markdown="Hello.")
LAST = Text(scene_id="questions", title="Questions", markdown="How was it?")
END = End(scene_id="end", title="End", markdown="")


@pytest.fixture
def reading() -> World:
    """A study of a text, a game and the end."""
    return World(study_of(TEXT, game_scene(), END))


def refused(answer: dict[str, Any]) -> str:
    """The code of a refusal."""
    return str(answer["error"]["code"])


class TestLoading:
    """Loading is announced, and every announcement says how long the grace lasts."""

    def test_the_answer_is_the_time_that_is_left(self, world: World) -> None:
        """From the start, and from each new stage on; saying it again changes nothing."""
        participant = world.connect()
        assert participant.start_loading() == {"ok": True, "deadline_in_s": 60.0}
        world.advance(20)
        assert participant.start_loading() == {"ok": True, "deadline_in_s": 40.0}
        assert participant.reach("packages") == {"ok": True, "deadline_in_s": 60.0}
        world.advance(20)
        assert participant.reach("packages") == {"ok": True, "deadline_in_s": 40.0}

    def test_an_overdue_load_has_no_time_left(self, world: World) -> None:
        """It is logged once, and never negative on the wire."""
        participant = world.connect()
        participant.start_loading()
        world.advance(70)
        assert participant.start_loading() == {"ok": True, "deadline_in_s": 0.0}
        assert len(world.log("loading_overdue")) == 1

    @pytest.mark.parametrize("error", [None, "no memory"])
    def test_completion_is_logged_with_its_report(self, world: World, error: str | None) -> None:
        """Success or error, with what the page measured and nothing that it did not say."""
        participant = world.connect()
        participant.start_loading()
        report = {"total_ms": 27_000.5, "stages_ms": {"runtime": 26_000}}
        answer = participant.say(
            "pyodide_loading_complete",
            attempt_id="attempt_1",
            report=report,
            **({"error": error} if error else {}),
        )
        assert answer == {"ok": True}
        name = "loading_failed" if error else "loading_completed"
        (entry,) = world.log(name)
        assert entry["report"] == report
        assert entry.get("error") == error
        assert participant.session.runtime.state == ("failed" if error else "ready")

    def test_completing_again_is_no_error(self, world: World) -> None:
        """The page says it until it is acknowledged."""
        participant = world.connect()
        participant.start_loading()
        assert participant.complete_loading() == participant.complete_loading() == {"ok": True}
        assert len(world.log("loading_completed")) == 1

    def test_an_unknown_attempt_is_out_of_turn(self, world: World) -> None:
        """A page of ours announces an attempt before it speaks of it."""
        participant = world.connect()
        assert refused(participant.reach("packages")) == ErrorCode.OUT_OF_TURN
        assert refused(participant.complete_loading()) == ErrorCode.OUT_OF_TURN


class TestScenes:
    """The stager leads on; the service asks it, saves and tells."""

    def test_a_text_is_left_by_its_name(self, reading: World) -> None:
        """The next scene is saved, answered and sent, whole."""
        participant = reading.connect()
        answer = participant.say("advance_scene", scene_id="welcome")
        assert answer == {"ok": True, "scene_id": "match"}
        assert participant.session.scene.scene_id == "match"
        (scene,) = participant.heard("scene_activated")
        assert scene["kind"] == "game"
        assert scene["environment_url"] == reading.core.delivery.environment_address("match")

    def test_leaving_again_changes_nothing(self, reading: World) -> None:
        """The answer is where the participant is, and nothing is sent twice."""
        participant = reading.connect()
        participant.say("advance_scene", scene_id="welcome")
        before = reading.log()
        for scene_id in ("welcome", "end", "nowhere"):
            answer = participant.say("advance_scene", scene_id=scene_id)
            assert answer == {"ok": True, "scene_id": "match"}
        assert reading.log() == before
        assert len(participant.heard("scene_activated")) == 1

    def test_an_unplayed_game_is_not_left(self, world: World) -> None:
        """The participant can leave the study, but not skip the game."""
        answer = world.connect().say("advance_scene", scene_id="match")
        assert refused(answer) == ErrorCode.OUT_OF_TURN

    def test_who_waits_does_not_advance(self, world: World) -> None:
        """Nor who plays; the place is given up by other means."""
        participant = world.connect()
        participant.join()
        answer = participant.say("advance_scene", scene_id="match")
        assert refused(answer) == ErrorCode.OUT_OF_TURN
        assert participant.session.place.state == "waiting"

    def test_the_last_scene_ends_the_session(self) -> None:
        """It is shown, the session is finished, and its connection is closed after that."""
        world = World(study_of(TEXT, END))
        participant = world.connect()
        answer = participant.say("advance_scene", scene_id="welcome")
        assert answer == {"ok": True, "scene_id": "end"}
        assert participant.heard("scene_activated")[0]["kind"] == "end"
        session = participant.session
        assert (session.link.state, session.link.why) == (LinkState.GONE, WhyGone.FINISHED)
        assert session.place.state == "finished"
        assert world.outbox.closed == [participant.sid]
        assert [entry["why"] for entry in world.log("session_gone")] == ["finished"]

    def test_after_the_last_scene_the_session_is_over(self) -> None:
        """Whatever the page still says is refused by that name, and nothing is done twice."""
        world = World(study_of(TEXT, END))
        participant = world.connect()
        participant.say("advance_scene", scene_id="welcome")
        before = world.log()
        for scene_id in ("welcome", "end"):
            answer = participant.say("advance_scene", scene_id=scene_id)
            assert refused(answer) == ErrorCode.SESSION_OVER
        assert world.log() == before


class TestJoinAndLeave:
    """Queueing and leaving."""

    def test_joining_answers_with_the_place(self, world: World) -> None:
        """`waiting`, or `playing` for the one who completes a game; again, where one is."""
        one, other = world.connect(), world.connect()
        assert one.join() == {"ok": True, "place": "waiting"}
        assert one.join() == {"ok": True, "place": "waiting"}
        assert other.join() == {"ok": True, "place": "playing"}
        assert one.join() == {"ok": True, "place": "playing"}
        assert len(world.log("queue_joined")) == 2

    def test_only_games_are_joined(self, reading: World) -> None:
        """A text has no waiting room."""
        assert refused(reading.connect().join()) == ErrorCode.OUT_OF_TURN

    def test_a_game_is_played_once(self, world: World) -> None:
        """What was played is left by the button, not queued for again."""
        one, other = world.connect(), world.connect()
        for participant in (one, other):
            participant.join()
        for participant in (one, other):
            participant.declare_ready()
        other.say("leave")
        assert one.session.scene.done
        assert refused(one.join()) == ErrorCode.OUT_OF_TURN
        answer = one.say("advance_scene", scene_id="match")
        assert answer == {"ok": True, "scene_id": "questions"}

    def test_waiting_has_an_end(self) -> None:
        """Who found nobody in time goes on with the study, and is shown the next scene."""
        world = World(one_game(waiting_timeout_s=30.0))
        participant = world.connect()
        participant.join()
        world.advance(30)
        assert participant.session.scene.scene_id == "questions"
        assert participant.session.place.state == "lobby"
        assert participant.heard("scene_activated")[0]["scene_id"] == "questions"
        assert len(world.log("waiting_timed_out")) == 1

    def test_showing_the_next_scene_twice_skips_none(self, world: World) -> None:
        """It names the scene that is left, as the participant's button does."""
        participant = world.connect()
        for _ in range(2):
            world.sessions.show_next_scene(participant.session_id, "match")
        assert participant.session.scene.scene_id == "questions"

    def test_leaving_ends_at_once(self, world: World) -> None:
        """No grace, the cleanup is done, and the connection is closed soon."""
        participant = world.connect()
        participant.join()
        assert participant.say("leave") == {"ok": True}
        assert participant.session.link.why is WhyGone.LEFT
        assert world.outbox.closed == [participant.sid]
        assert [entry["place"] for entry in world.log("cleanup_done")] == ["waiting"]

    def test_a_gone_session_is_pruned_in_time(self, world: World) -> None:
        """It stays listed for a while, then only its log is left."""
        participant = world.connect()
        participant.say("leave")
        world.clock.advance(3599)
        world.sweeper.sweep()
        assert len(world.store.sessions()) == 1
        world.clock.advance(1)
        world.sweeper.sweep()
        assert world.store.sessions() == []
        assert world.log(session_id=participant.session_id)
