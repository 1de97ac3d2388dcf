"""CONNECT begins a session, resumes one or is refused; a lost connection begins a grace."""

import json
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from flask_socketio import ConnectionRefusedError

from app.errors import RefusedConnection, StoreBusy
from app.protocol import ConnectAuth, ErrorCode
from app.services.sessions import credential_of
from app.sessions import LinkState, RuntimeState, Session, Step, WhyGone
from app.sessions.events import ConnectionLost
from app.studies import End
from unit.fakes.studies import game_scene, study_of
from unit.fakes.world import World

LOST = partial(ConnectionLost, reason="transport close")
"""Makes the loss of a connection, given its epoch."""

END = End(scene_id="end", title="End", markdown="")


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
            "heartbeat_timeout_s": 17.0,
        }
        (session,) = world.store.sessions()
        assert session.participant == "P1"
        assert session.study == "study"

    def test_where_engineio_watches_the_page_need_not(self) -> None:
        """Its client was told the ordinary time by the handshake."""
        world = World(heartbeat="engineio")
        assert "heartbeat_timeout_s" not in world.connect().opened

    def test_a_load_of_an_older_connection_is_not_the_newer_ones(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The store may have been waited for, and the page have connected anew meanwhile."""
        ann = world.connect()
        change = world.store.change

        def change_and_connect(*given: Any) -> Any:
            step = change(*given)
            monkeypatch.undo()
            ann.come_back(runtime={"state": "failed"})
            return step

        monkeypatch.setattr(world.store, "change", change_and_connect)
        ann.start_loading()
        websocket = world.sockets.of(ann.sid)
        assert websocket is not None
        assert not websocket.loads

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
        """After the study was changed there is no way on, and it ends when its page comes back."""
        participant = world.connect()
        participant.lose()
        changed = World(
            study_of(game_scene(scene_id="other"), END), clock=world.clock, store=world.store
        )
        assert changed.refusal(token=participant.token) == ErrorCode.SESSION_EXPIRED
        assert participant.session.link.state is LinkState.GONE


def test_who_finished_is_given_the_end_again(world: World) -> None:
    """A connection may drop with the last step; the completion code is not lost with it."""
    participant = world.connect()
    for scene in world.core.study.study.scenes[:-1]:
        world.store.change(participant.session.id, 0.0, _played)
        assert participant.say("advance_scene", scene_id=scene.scene_id)["ok"]
    participant.lose()
    with pytest.raises(ConnectionRefusedError) as refused:
        world.connect(participant.page_id, token=participant.token)
    data = refused.value.error_args["data"]
    assert data["code"] == ErrorCode.SESSION_EXPIRED
    assert data["scene"]["kind"] == "end"


def _played(session: Session) -> Step:
    return Step(replace(session, scene=replace(session.scene, done=True)))


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
        world.sessions.connection_lost("sid_9", LOST)
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
                world.sessions.connection_lost(participant.sid, LOST)
        world.sessions.connection_lost(participant.sid, LOST)
        assert participant.session.link.state is LinkState.AWAY
        assert len(world.core.connections) == 0
