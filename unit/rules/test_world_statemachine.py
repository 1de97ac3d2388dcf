"""Anybody does anything in any order: what everybody is told is true, and nothing is left over."""

from collections import Counter
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.games import GameState
from app.sessions import LinkState, PlaceState, Session, can_be_matched
from unit.fakes.held import held_by_services
from unit.fakes.participant import Participant
from unit.fakes.studies import one_game
from unit.fakes.told import told
from unit.fakes.world import World

MOST = 4
SETTINGS: dict[str, Any] = {
    "loading_timeout_s": 20.0,
    "loading_budget_s": 40.0,
    "reconnect_grace_s": 5.0,
    "game_start_timeout_s": 30.0,
    "input_delay_frames": 1,
    "gone_kept_s": 20.0,
}

anybody = st.integers(0, MOST - 1)
seldom = st.integers(0, 4)


class WorldMachine(RuleBasedStateMachine):
    """A server with up to four participants."""

    @initialize(
        on_unstarted=st.sampled_from(["requeue", "continue"]),
        players=st.integers(2, 3),
        loading_grace=st.sampled_from([True, True, True, False]),
    )
    def serve(self, on_unstarted: str, players: int, loading_grace: bool) -> None:
        """A server starts; nobody is there."""
        self.players = players
        study = one_game(on_unstarted=on_unstarted, players=players, waiting_timeout_s=45.0)
        self.world = World(study, loading_grace=loading_grace, **SETTINGS)
        self.people: list[Participant] = []
        self.pages: dict[str, list[str]] = {}

    def is_here(self, somebody: Participant) -> bool:
        """Whether the participant has a connection."""
        return somebody.sid in self.world.outbox.open

    def pick(self, number: int) -> Participant:
        """One of those who have come."""
        return self.people[number % len(self.people)]

    def say(self, number: int, event: str, **payload: Any) -> dict[str, Any]:
        """Somebody says something, if connected."""
        somebody = self.pick(number)
        return somebody.say(event, **payload) if self.is_here(somebody) else {"ok": False}

    @precondition(lambda self: len(self.people) < MOST)
    @rule()
    def arrive(self) -> None:
        """Somebody comes for the first time."""
        somebody = self.world.connect()
        self.people.append(somebody)
        self.pages[somebody.session_id] = []

    @precondition(lambda self: self.people)
    @rule(number=anybody, event=st.sampled_from(["join_game", "player_ready"]))
    def take_part(self, number: int, event: str) -> None:
        """Somebody queues, or is ready for the game."""
        payload = {"game_id": self.game_of(number)} if event == "player_ready" else {}
        self.say(number, event, **payload)

    def game_of(self, number: int) -> str:
        """The game in which somebody has a seat, or one that never was."""
        session = self.world.store.session(self.pick(number).session_id)
        return (session and session.place.game_id) or "g_none"

    @precondition(lambda self: self.people)
    @rule(number=anybody, frame=st.integers(0, 3))
    def act(self, number: int, frame: int) -> None:
        """Somebody sends an action, perhaps out of turn."""
        self.say(number, "player_action", game_id=self.game_of(number), frame=frame, action=number)

    @precondition(lambda self: self.people)
    @rule(number=anybody, attempt=st.integers(1, 3))
    def start_loading(self, number: int, attempt: int) -> None:
        """Somebody begins to load."""
        self.say(
            number,
            "pyodide_loading_start",
            attempt_id=f"attempt_{attempt}",
            path="preload",
            runtime="main",
        )

    @precondition(lambda self: self.people)
    @rule(number=anybody, attempt=st.integers(1, 3), failed=st.booleans())
    def end_loading(self, number: int, attempt: int, failed: bool) -> None:
        """Somebody has loaded, or has failed to."""
        error = {"error": "out of memory"} if failed else {}
        self.say(number, "pyodide_loading_complete", attempt_id=f"attempt_{attempt}", **error)

    @precondition(lambda self: self.people)
    @rule(number=anybody, sure=seldom)
    def go_on(self, number: int, sure: int) -> None:
        """Somebody goes on with the study, or leaves it."""
        session = self.world.store.session(self.pick(number).session_id)
        if sure == 0:
            self.say(number, "leave")
        elif session is not None:
            self.say(number, "advance_scene", scene_id=session.scene.scene_id)

    @precondition(lambda self: self.people)
    @rule(number=anybody, sure=seldom)
    def fail(self, number: int, sure: int) -> None:
        """The environment raises in somebody's browser."""
        if sure == 0:
            game_id = self.game_of(number)
            self.say(number, "environment_failed", game_id=game_id, frame=0, traceback="x")

    @precondition(lambda self: self.people)
    @rule(number=anybody, frozen=st.booleans())
    def freeze_or_thaw(self, number: int, frozen: bool) -> None:
        """Somebody's page answers nothing any more, or answers again; it may be so already."""
        somebody = self.pick(number)
        if self.is_here(somebody) and frozen:
            somebody.freeze()
        elif self.is_here(somebody):
            somebody.thaw()

    @precondition(lambda self: self.people)
    @rule(number=anybody, close_code=st.sampled_from([None, 1001, 1006]))
    def lose(self, number: int, close_code: int | None) -> None:
        """Somebody's connection is lost."""
        somebody = self.pick(number)
        if self.is_here(somebody):
            somebody.lose(close_code)

    @precondition(lambda self: self.people)
    @rule(number=anybody, reloaded=st.booleans())
    def connect(self, number: int, reloaded: bool) -> None:
        """Somebody connects again, the same page or a new one, whether or not it was lost."""
        somebody = self.pick(number)
        session = self.world.store.session(somebody.session_id)
        now = self.world.clock.now()
        over = session is None or session.link.state is LinkState.GONE
        too_late = (
            session is not None
            and session.deadline is not None
            and (session.link.state is LinkState.AWAY and session.deadline <= now)
        )
        if over or too_late:
            refusal = self.world.refusal(somebody.page_id, token=somebody.token)
            assert refusal == "session_expired"
            return
        if reloaded:
            self.pages[somebody.session_id].append(somebody.page_id)
            somebody.reload()
        else:
            somebody.come_back()

    @precondition(lambda self: self.people)
    @rule(number=anybody)
    def try_with_an_old_page(self, number: int) -> None:
        """A page that was replaced does not get in."""
        somebody = self.pick(number)
        for page_id in self.pages[somebody.session_id]:
            refusal = self.world.refusal(page_id, token=somebody.token)
            assert refusal in ("session_taken_over", "session_expired")

    @rule(seconds=st.sampled_from([0.5, 3.0, 6.0, 25.0]))
    def let_time_pass(self, seconds: float) -> None:
        """Time passes, and the sweeper does its work."""
        self.world.advance(seconds)

    @rule(sure=seldom, down_s=st.sampled_from([0.0, 50.0]))
    def restart(self, sure: int, down_s: float) -> None:
        """The server dies and is there again, now and then; everybody has lost the connection."""
        if sure == 0:
            self.world = self.world.restart(down_s)
            for somebody in self.people:
                somebody.move_to(self.world)

    @invariant()
    def what_everybody_is_told_is_true(self) -> None:
        """Place, waiting room, game and partners are as the page was told last."""
        matchable = [one.id for one in self.world.store.sessions() if can_be_matched(one)]
        for somebody in filter(self.is_here, self.people):
            session = self.world.store.session(somebody.session_id)
            if session is None or session.link.state is LinkState.GONE:
                continue
            view = told(somebody)
            assert session.link.state is LinkState.CONNECTED
            assert view.place == session.place.state
            if session.place.state is PlaceState.WAITING:
                assert view.waiting == len(matchable)
            game = self.world.store.game(session.place.game_id or "")
            assert view.game == (game and game.state)
            if game is not None:
                partners = {
                    player: self.world.session(member)
                    for player, member in zip(game.players, game.members, strict=True)
                    if member != session.id
                }
                assert view.partners == {
                    player: (self.seen_link(partner), partner.runtime.state)
                    for player, partner in partners.items()
                }

    def seen_link(self, partner: Session) -> str:
        """A player's link as the others may see it."""
        return "busy" if self.world.core.is_busy(partner.id) else partner.link.state

    @invariant()
    def seats_and_games_agree(self) -> None:
        """Whoever plays has a seat in a game that goes on, and all of its players do."""
        sessions = {session.id: session for session in self.world.store.sessions()}
        playing = {
            session.id: session.place.game_id
            for session in sessions.values()
            if session.place.state is PlaceState.PLAYING
        }
        games = [game for game in self.world.store.games() if game.state is not GameState.ENDED]
        assert playing == {member: game.id for game in games for member in game.members}
        for game in games:
            links = {sessions[member].link.state for member in game.members}
            busy = any(map(self.world.core.is_busy, game.members))
            runs = game.state is GameState.RUNNING
            assert not runs or (links == {LinkState.CONNECTED} and not busy)

    @invariant()
    def nobody_waits_without_need(self) -> None:
        """There are never enough in a waiting room for a game that is not made."""
        sessions = self.world.store.sessions()
        assert sum(can_be_matched(session) for session in sessions) < self.players

    @invariant()
    def every_end_is_cleaned_up_once(self) -> None:
        """Each session that is gone was logged and cleaned up once, and no other one was."""
        gone = {
            session.id
            for session in self.world.store.sessions()
            if session.link.state is LinkState.GONE
        }
        cleaned = Counter(entry["session_id"] for entry in self.world.log("cleanup_done"))
        assert cleaned == Counter(entry["session_id"] for entry in self.world.log("session_gone"))
        assert set(cleaned.values()) <= {1}
        assert gone <= set(cleaned)

    def teardown(self) -> None:
        """When everybody has gone, nothing is left but the log."""
        if not hasattr(self, "world"):
            return
        for somebody in filter(self.is_here, self.people):
            somebody.lose()
        self.world.advance(100.0)
        assert not self.world.store.sessions()
        assert not self.world.store.unended_games()
        assert held_by_services(self.world) == {}
        cleaned = {entry["session_id"] for entry in self.world.log("cleanup_done")}
        assert cleaned == {somebody.session_id for somebody in self.people}


TestWorld = WorldMachine.TestCase
TestWorld.settings = settings(max_examples=20)
