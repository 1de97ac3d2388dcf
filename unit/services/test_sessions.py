"""Sessions open, are lost, load, wait, go on and leave."""

import json
from typing import Any

import pytest

from app.errors import RefusedConnection, StoreBusy
from app.protocol import ConnectAuth, ErrorCode
from app.services.sessions import credential_of
from app.sessions import LinkState, RuntimeState, WhyGone
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


class TestOpen:
    """CONNECT begins a session, resumes one, or is refused."""

    def test_a_new_session_hears_everything(self, world: World) -> None:
        """Id, credential, epoch, states and the scene, whole."""
        opened = world.connect(participant="P1").opened
        assert opened.pop("token")
        assert opened.pop("session_id").startswith("s_")
        assert opened.pop("scene")["scene_id"] == "match"
        assert opened == {
            "epoch": 1,
            "resumed": False,
            "link": "connected",
            "runtime": "cold",
            "place": "lobby",
        }
        (session,) = world.store.sessions()
        assert session.participant == "P1"
        assert session.study == "study"

    def test_the_log_has_it(self, world: World) -> None:
        """`session_opened` is logged with the session, in one change."""
        participant = world.connect(participant="P1")
        (entry,) = world.log()
        assert entry["event"] == "session_opened"
        assert entry["session_id"] == participant.session_id
        assert (entry["resumed"], entry["participant"]) == (False, "P1")

    def test_a_token_is_random_and_kept_as_a_hash(self, world: World) -> None:
        """What is stored, logged and told to others is worth no session."""
        participants = [world.connect() for _ in range(3)]
        for participant in participants:
            participant.join()
        tokens = {participant.token for participant in participants}
        assert len(tokens) == 3
        assert min(len(token) for token in tokens) >= 43
        for participant in participants:
            assert world.store.session_id_of(participant.token) is None
            found = world.store.session_id_of(credential_of(participant.token))
            assert found == participant.session_id
        told = [one.payload for one in world.outbox.emitted if one.event != "session_opened"]
        everything = json.dumps([told, world.log(), list(map(repr, world.store.sessions()))])
        assert not [token for token in tokens if token in everything]

    def test_a_page_without_an_id_is_its_own(self, world: World) -> None:
        """Every connection of such a page counts as a new page, which replaces the one before."""
        session = world.sessions.open("sid_a", ConnectAuth())
        other = world.sessions.open("sid_b", ConnectAuth())
        assert len(session.page_id) >= 8
        assert session.page_id != other.page_id

    def test_the_runtime_is_restated(self, world: World) -> None:
        """A session can begin with a page that already loads, or that has its Python."""
        runtime = {"state": "loading", "attempt_id": "attempt_1", "stage": "packages"}
        loading = world.connect(runtime=runtime).session.runtime
        assert loading.state is RuntimeState.LOADING
        assert loading.loading is not None
        assert (loading.loading.attempt_id, loading.loading.stage) == ("attempt_1", "packages")
        assert world.connect(runtime={"state": "ready"}).opened["runtime"] == "ready"

    def test_the_same_page_comes_back(self, world: World) -> None:
        """The same session, on its next epoch; the old connection is closed without a word."""
        participant = world.connect()
        old = participant.sid
        participant.come_back()
        assert (participant.opened["epoch"], participant.opened["resumed"]) == (2, True)
        assert world.outbox.closed == [old]
        assert world.outbox.heard(old, "session_taken_over") == []

    def test_another_page_takes_over(self, world: World) -> None:
        """The page that was replaced is told so before its connection is closed."""
        participant = world.connect()
        old = participant.sid
        participant.reload()
        assert world.outbox.events(old)[-1] == "session_taken_over"
        assert world.outbox.closed == [old]

    def test_a_replaced_page_is_refused(self, world: World) -> None:
        """By its page id, and nothing of the session is changed by it."""
        participant = world.connect()
        first = participant.page_id
        participant.reload()
        before = participant.session
        assert world.refusal(first, token=participant.token) == ErrorCode.SESSION_TAKEN_OVER
        assert participant.session == before

    @pytest.mark.parametrize("ends", ["leave", "deadline", "pruned"])
    def test_a_session_that_is_over_is_refused(self, world: World, ends: str) -> None:
        """However it ended, and whether or not it is still listed."""
        participant = world.connect()
        if ends == "leave":
            participant.say("leave")
        else:
            participant.lose()
            world.advance(20 if ends == "deadline" else 4000)
        assert world.refusal(token=participant.token) == ErrorCode.SESSION_EXPIRED

    def test_a_deadline_counts_even_before_the_sweep(self, world: World) -> None:
        """Who comes a moment too late ends the session, and the partner is told at once."""
        one, other = world.connect(), world.connect()
        for participant in (one, other):
            participant.join()
        one.lose()
        world.clock.advance(15)
        assert world.refusal(one.page_id, token=one.token) == ErrorCode.SESSION_EXPIRED
        assert one.session.link.why is WhyGone.DEADLINE_PASSED
        assert [entry["event"] for entry in world.log("cleanup_done")] == ["cleanup_done"]
        assert other.heard("partner_status")[-1]["link"] == "gone"
        assert other.heard("game_ended")[0]["reason"] == "player_gone"

    def test_an_unknown_token_is_refused(self, world: World) -> None:
        """Neither a guess nor a session's id nor its stored hash is a credential."""
        participant = world.connect()
        for guess in ("guess", participant.session_id, credential_of(participant.token)):
            assert world.refusal(token=guess) == ErrorCode.SESSION_EXPIRED
        assert len(world.store.sessions()) == 1

    def test_another_study_is_refused(self, world: World) -> None:
        """A page of a study that is not served here, and a session that belongs to one."""
        assert world.refusal(study="another") == ErrorCode.UNKNOWN_STUDY
        participant = world.connect(study="study")
        other = World(
            study_of(game_scene(), END, study_id="another"), clock=world.clock, store=world.store
        )
        assert other.refusal(token=participant.token) == ErrorCode.UNKNOWN_STUDY
        assert participant.session.epoch == 1

    def test_a_server_that_stops_takes_nobody(self, world: World) -> None:
        """Not even those it knows: they are kept for the next one."""
        participant = world.connect()
        world.core.stopping = True
        assert world.refusal(token=participant.token) == ErrorCode.SERVER_STOPPING
        assert world.refusal() == ErrorCode.SERVER_STOPPING

    def test_a_refusal_binds_nothing(self, world: World) -> None:
        """No connection is kept of somebody who was not let in."""
        with pytest.raises(RefusedConnection):
            world.sessions.open("sid_a", ConnectAuth(token="unknown"))
        assert len(world.core.connections) == 0
        assert world.store.sessions() == []

    def test_a_scene_that_is_no_more_does_not_keep_the_session_connected(
        self, world: World
    ) -> None:
        """After the study was changed it ends like any whose page cannot come back."""
        participant = world.connect()
        participant.lose()
        changed = World(
            study_of(game_scene(scene_id="other"), END), clock=world.clock, store=world.store
        )
        assert changed.refusal(token=participant.token) == ErrorCode.INTERNAL_ERROR
        changed.advance(60)
        assert participant.session.link.state is LinkState.GONE


class TestLoss:
    """A lost connection begins a grace, and only that of the current one does."""

    def test_the_loss_is_kept_with_its_reason(self, world: World) -> None:
        """The session is away, with a deadline, and nothing of it is cleaned up."""
        participant = world.connect()
        participant.join()
        world.lose(participant.sid, close_code=1001, reason="ping timeout")
        link = participant.session.link
        assert (link.state, link.deadline) == (LinkState.AWAY, world.clock.now() + 15)
        assert participant.session.place.state == "waiting"
        (lost,) = world.log("link_lost")
        assert (lost["reason"], lost["close_code"], lost["grace"]) == (
            "ping timeout", 1001, "reconnect",
        )  # fmt: skip

    def test_an_old_connection_loses_nothing(self, world: World) -> None:
        """The end of a connection that was replaced is no loss, and it is forgotten."""
        participant = world.connect()
        old = participant.sid
        participant.come_back()
        world.lose(old)
        assert participant.session.link.state is LinkState.CONNECTED
        assert len(world.core.connections) == 1

    def test_an_unknown_connection_loses_nothing(self, world: World) -> None:
        """As that of a page which was refused."""
        world.sessions.connection_lost("sid_9", "transport close", None)
        assert world.log() == []

    def test_a_pruned_session_loses_nothing(self, world: World) -> None:
        """A connection may outlive its session; then it is only forgotten."""
        participant = world.connect()
        participant.say("leave")
        world.clock.advance(4000)
        world.sweeper.sweep()
        assert world.store.sessions() == []
        participant.lose()
        assert len(world.core.connections) == 0

    def test_a_stopping_server_leaves_losses_to_the_next(self, world: World) -> None:
        """Every connection ends with it, and the next start gives everybody their grace."""
        participant = world.connect()
        world.core.stopping = True
        participant.lose()
        assert participant.session.link.state is LinkState.CONNECTED

    def test_a_loss_that_could_not_be_kept_can_be_tried_again(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The connection is forgotten only after its loss is saved."""
        participant = world.connect()

        def busy(*_: object) -> None:
            raise StoreBusy("another process")

        with monkeypatch.context() as patch:
            patch.setattr(world.store, "change", busy)
            with pytest.raises(StoreBusy):
                world.sessions.connection_lost(participant.sid, "transport close", None)
        world.sessions.connection_lost(participant.sid, "transport close", None)
        assert participant.session.link.state is LinkState.AWAY
        assert len(world.core.connections) == 0


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
        assert scene["environment_url"] == "/study/match/environment.py"

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
