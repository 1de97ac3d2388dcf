"""Any events in any order: the rules of the design hold for a session whatever happens to it."""

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.clock import ManualClock
from app.errors import IllegalTransition
from app.sessions import (
    LinkState,
    PlaceState,
    Policy,
    RuntimeState,
    Session,
    Step,
    advance,
    is_client_in_loading_grace,
)
from app.sessions.events import (
    ConnectionLost,
    DeadlinePassed,
    GameOver,
    LeaveRequested,
    LoadingEnded,
    LoadingStarted,
    Matched,
    PageConnected,
    QueueJoined,
    Restated,
    SceneEntered,
    ServerRestarted,
    SessionEvent,
    StageReached,
)
from app.sessions.grace import STAGES
from app.studies import StagerState
from unit.fakes.sessions import SCENE, opened, records

POLICIES = (
    Policy(),
    Policy(loading_timeout_s=20.0, loading_budget_s=30.0, reconnect_grace_s=5.0),
    Policy(loading_timeout_s=20.0, loading_budget_s=20.0, reconnect_grace_s=45.0),
)
ALMOST = 1e-6
"""Seconds by which sums of times may differ."""

pages = st.sampled_from([f"page_{number:04}" for number in range(1, 6)])
attempts = st.sampled_from([f"attempt_{number}" for number in range(5)])
stages = st.sampled_from(STAGES)
restated = st.none() | st.builds(
    Restated,
    state=st.sampled_from(RuntimeState),
    attempt_id=st.none() | attempts,
    stage=st.none() | stages,
)
close_codes = st.sampled_from([None, 1000, 1001, 1006])
seconds = st.sampled_from([0.0, 0.5, 4.0, 16.0, 61.0])
games = st.sampled_from(["g_1", "g_2"])


class SessionMachine(RuleBasedStateMachine):
    """One session under random events, beside a model of what was promised to it."""

    session: Session
    """The session; once it was pruned, as it was before."""

    @initialize(policy=st.sampled_from(POLICIES))
    def open(self, policy: Policy) -> None:
        """The session begins."""
        self.clock = ManualClock()
        self.clock.advance(0.0)
        self.policy = policy
        self.session = opened(policy=policy)
        self.pruned = False
        self.cleanups = 0
        self.ended_attempts: set[str] = set()
        self.replaced_pages: set[str] = set()
        self.old_deadlines: list[tuple[float, int]] = []
        self.granted_s = 0.0

    @property
    def now(self) -> float:
        """The present."""
        return self.clock.now()

    def step(self, session: Session, event: SessionEvent, at: float) -> Step | None:
        """What `advance` says; None when it is illegal."""
        try:
            return advance(session, event, at, self.policy)
        except IllegalTransition:
            return None

    def do(self, event: SessionEvent) -> Step | None:
        """Let an event happen, and hold its outcome against the rules; None when it is illegal."""
        before, frozen = self.session, repr(self.session)
        step = None if self.pruned else self.step(before, event, self.now)
        assert repr(before) == frozen, "deciding changed the session itself"
        if step is None:
            return None
        self._check_end(before, step, event)
        if step.session is None:
            self.pruned = True
            return step
        self.session = step.session
        self._keep_the_model(before, self.session)
        return step

    def _check_end(self, before: Session, step: Step, event: SessionEvent) -> None:
        """A session ends once, for a reason, with one cleanup; and then it stays ended."""
        after = step.session
        if before.link.state is LinkState.GONE:
            assert after in (None, before), "gone is final"
            assert step.effects == ()
            return
        assert after is not None, "only what is gone is pruned"
        logged = records(step)
        if after.link.state is not LinkState.GONE:
            assert not {"session_gone", "cleanup_done"} & set(logged)
            return
        self.cleanups += 1
        assert logged.count("session_gone") == logged.count("cleanup_done") == 1
        if isinstance(event, LeaveRequested | SceneEntered):
            return
        assert isinstance(event, DeadlinePassed | PageConnected)
        assert before.link.state is LinkState.AWAY, "who is connected does not go by itself"
        assert before.link.deadline is not None
        assert before.link.deadline <= self.now, "gone before the deadline"

    def _keep_the_model(self, before: Session, after: Session) -> None:
        if before.deadline is not None:
            self.old_deadlines.append((before.deadline, before.epoch))
        if after.page_id != before.page_id:
            self.replaced_pages.add(before.page_id)
        old, new = before.runtime.loading, after.runtime.loading
        if old is not None and (new is None or new.attempt_id != old.attempt_id):
            self.ended_attempts.add(old.attempt_id)
        if after.runtime.state is RuntimeState.READY is not before.runtime.state:
            self.granted_s = 0.0

    @rule(elapsed=seconds)
    def let_time_pass(self, elapsed: float) -> None:
        """Time passes; the loading grace runs while the page loads."""
        if is_client_in_loading_grace(self.session, self.now):
            assert self.session.runtime.loading is not None
            left = self.session.runtime.loading.deadline - self.now
            self.granted_s += min(elapsed, left)
        self.clock.advance(elapsed)

    @precondition(lambda self: self.session.deadline is not None)
    @rule(late=st.sampled_from([-0.001, 0.0, 0.001]))
    def let_time_pass_to_the_deadline(self, late: float) -> None:
        """The present comes close to the deadline: just before it, on it, just after it."""
        assert self.session.deadline is not None
        self.let_time_pass(max(0.0, self.session.deadline + late - self.now))

    @rule()
    def sweep(self) -> None:
        """The sweeper asks whether the session is due."""
        deadline = self.session.deadline
        if deadline is not None and deadline <= self.now:
            self.do(DeadlinePassed(deadline, self.session.epoch))
            assert self.pruned or self.session.deadline != deadline, "due for ever"

    @precondition(lambda self: self.old_deadlines)
    @rule(data=st.data())
    def sweep_late(self, data: st.DataObject) -> None:
        """The sweeper delivers a deadline that the session had at some time."""
        deadline, epoch = data.draw(st.sampled_from(self.old_deadlines))
        before = self.session
        if (deadline, epoch) != (before.deadline, before.epoch):
            step = self.do(DeadlinePassed(deadline, epoch))
            assert step is None or (step.session == before and step.effects == ())

    @rule(page=pages, runtime=restated)
    def connect(self, page: str, runtime: Restated | None) -> None:
        """A page connects; the service refuses one that was replaced, and so does this."""
        known = set(self.session.replaced_pages)
        assert self.replaced_pages == known, "a replaced page was forgotten"
        if page in known:
            return
        before = self.session
        step = self.do(PageConnected(page, runtime))
        if step is None or self.session.link.state is LinkState.GONE:
            return
        assert self.session.link.state is LinkState.CONNECTED
        assert self.session.epoch == before.epoch + 1
        assert (self.session.place, self.session.scene) == (before.place, before.scene)

    @rule(close_code=close_codes)
    def lose(self, close_code: int | None) -> None:
        """The present connection ends."""
        before, was_loading = self.session, is_client_in_loading_grace(self.session, self.now)
        if before.link.state is not LinkState.CONNECTED:
            return
        step = self.do(ConnectionLost(before.epoch, "transport close", close_code))
        assert step is not None
        after, reconnect_s = self.session, self.policy.reconnect_grace_s
        assert after.link.state is LinkState.AWAY, "a lost connection is never gone"
        assert after.link.deadline is not None
        granted_s = after.link.deadline - self.now
        if was_loading and close_code != 1001:
            longest = max(reconnect_s, self.policy.loading_timeout_s)
            assert reconnect_s <= granted_s + ALMOST <= longest + 2 * ALMOST
        else:
            assert abs(granted_s - reconnect_s) < ALMOST
        assert replace(after, link=before.link) == before, "a loss changed more than the link"

    @precondition(lambda self: self.session.epoch > 1)
    @rule(data=st.data(), close_code=close_codes)
    def lose_an_old_connection(self, data: st.DataObject, close_code: int | None) -> None:
        """A connection ends that is not the current one."""
        epoch = data.draw(st.integers(1, self.session.epoch - 1))
        before = self.session
        step = self.do(ConnectionLost(epoch, "transport close", close_code))
        assert step is None or (step.session is before and step.effects == ())

    @rule(attempt=attempts)
    def start_loading(self, attempt: str) -> None:
        """The page says that it is about to load."""
        before = self.session.runtime
        ended = attempt in self.ended_attempts
        step = self.do(LoadingStarted(attempt, "preload", "main"))
        if step is None:
            return
        loading = self.session.runtime.loading
        if ended:
            assert self.session.runtime == before
        elif before.loading is not None:
            assert loading is not None
            assert loading.deadline == before.loading.deadline, "starting again stretched it"
        assert ended or (loading is not None and loading.attempt_id == attempt)

    @rule(attempt=attempts, stage=stages)
    def reach_stage(self, attempt: str, stage: str) -> None:
        """The page says that its load has come to a stage."""
        self.do(StageReached(attempt, stage))

    @rule(attempt=attempts, error=st.sampled_from([None, "no memory"]))
    def end_loading(self, attempt: str, error: str | None) -> None:
        """The page says that its load is over; said twice it is over once."""
        if self.do(LoadingEnded(attempt, error)) is not None:
            once = self.session
            self.do(LoadingEnded(attempt, "something else"))
            assert self.session == once

    @rule(timeout_s=st.sampled_from([None, 10.0, 600.0]))
    def join(self, timeout_s: float | None) -> None:
        """The participant queues."""
        self.do(QueueJoined(timeout_s))

    @rule(game_id=games)
    def match(self, game_id: str) -> None:
        """A game is found, for whoever can be matched."""
        before = self.session
        if self.do(Matched(game_id)) is not None:
            assert before.place.state is PlaceState.WAITING
            assert before.link.state is LinkState.CONNECTED, "matched while away"
            assert before.runtime.state is not RuntimeState.FAILED, "matched without Python"

    @rule(game_id=games, requeue=st.booleans())
    def end_game(self, game_id: str, requeue: bool) -> None:
        """A game ends, perhaps not the one in which the session has its seat."""
        before = self.session.place
        self.do(GameOver(game_id, SCENE, requeue=requeue, timeout_s=600.0))
        if self.session.place.state is PlaceState.WAITING:
            assert self.session.place.queued_at == before.queued_at, "the place in the queue"

    @rule(final=st.integers(0, 5))
    def enter_scene(self, final: int) -> None:
        """The participant goes on, now and then to the end of the study."""
        self.do(SceneEntered(StagerState("next"), final=final == 0))

    @rule(sure=st.integers(0, 5))
    def leave(self, sure: int) -> None:
        """The participant leaves, now and then."""
        if sure == 0:
            self.do(LeaveRequested())

    @rule(down_s=seconds)
    def restart_the_server(self, down_s: float) -> None:
        """The server dies, and is there again after a while."""
        before = self.session
        self.clock.advance(down_s)
        self.do(ServerRestarted(down_s))
        if not self.pruned and before.link.state is not LinkState.GONE:
            after = self.session
            assert after.link.state is LinkState.AWAY
            assert after.link.deadline is not None
            least = self.now + self.policy.reconnect_grace_s
            assert after.link.deadline >= least, "less than a full grace after a restart"
            if before.link.deadline is not None:
                assert after.link.deadline >= before.link.deadline + down_s

    @invariant()
    def cleanup_is_done_once(self) -> None:
        """There was one cleanup if the session is gone, and none if it is not."""
        assert self.cleanups == (self.session.link.state is LinkState.GONE)

    @invariant()
    def ended_attempts_do_not_load(self) -> None:
        """An attempt that has ended never is under way again."""
        loading = self.session.runtime.loading
        assert (loading is not None) == (self.session.runtime.state is RuntimeState.LOADING)
        assert loading is None or loading.attempt_id not in self.ended_attempts

    @invariant()
    def replaced_pages_do_not_come_back(self) -> None:
        """The session's page is not one that was replaced."""
        assert self.session.page_id not in self.replaced_pages

    @invariant()
    def grace_stays_within_the_budget(self) -> None:
        """What was granted since the last success, and is promised, is no more than the budget."""
        promised_s = 0.0
        if self.session.runtime.loading is not None:
            promised_s = max(0.0, self.session.runtime.loading.deadline - self.now)
        assert promised_s <= self.policy.loading_timeout_s + ALMOST
        assert self.granted_s + promised_s <= self.policy.loading_budget_s + ALMOST

    @invariant()
    def without_a_deadline_nothing_is_pending(self) -> None:
        """Whoever is not connected has a deadline; who has none waits for nothing."""
        session = self.session
        if session.deadline is None:
            assert session.link.state is LinkState.CONNECTED
            assert session.place.deadline is None
            assert session.runtime.loading is None or session.runtime.loading.overdue

    @invariant()
    def grace_ends_by_itself_and_not_before(self) -> None:
        """If nobody comes back, a lost link is gone on its deadline, and not a moment sooner."""
        session = self.session
        if session.link.state is not LinkState.AWAY or session.deadline is None:
            return
        event = DeadlinePassed(session.deadline, session.epoch)
        early = self.step(session, event, session.deadline - 0.001)
        assert early is not None
        assert early.session == session
        on_time = self.step(session, event, session.deadline)
        assert on_time is not None
        assert on_time.session is not None
        assert on_time.session.link.state is LinkState.GONE
        assert records(on_time) == ["session_gone", "cleanup_done"]

    @invariant()
    def place_is_whole(self) -> None:
        """A seat is in a game; queue and seat have their time; who is gone has neither."""
        place = self.session.place
        assert (place.game_id is not None) == (place.state is PlaceState.PLAYING)
        queued = place.state in (PlaceState.WAITING, PlaceState.PLAYING)
        assert (place.queued_at is not None) == queued
        assert not (queued and self.session.link.state is LinkState.GONE)


TestSession = SessionMachine.TestCase
