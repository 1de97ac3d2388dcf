"""Who is still there is found out on time, and nobody else is disturbed."""

from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from app.clock import ManualClock
from app.services.busy import BUSY_AFTER_S
from app.sessions import LossCause
from app.sockets.register import Sockets
from app.sockets.watch import AT_ONCE, LOOK_EVERY_S, STALLED_S, Watch
from unit.fakes.websocket import FakeWebSocket

PRESENCE_S, TIMEOUT_S = 5.0, 30.0

Pass = Callable[[float], None]


@pytest.fixture
def watch(sockets: Sockets, clock: ManualClock) -> Watch:
    """A watch with the default times."""
    return Watch(sockets, clock, presence_ping_s=PRESENCE_S, ping_timeout_s=TIMEOUT_S)


@pytest.fixture
def let_pass(watch: Watch, clock: ManualClock) -> Pass:
    """Lets time pass, with a look as often as the running server has one."""

    def passing(seconds: float) -> None:
        end = clock.now() + seconds
        while clock.now() < end:
            clock.advance(min(LOOK_EVERY_S, end - clock.now()))
            watch.look(clock.now())

    return passing


@pytest.fixture
def websocket(sockets: Sockets) -> FakeWebSocket:
    """A connection with a session, whose browser answers pings."""
    opened = FakeWebSocket(sockets)
    sockets.bind(opened.environ, "sid_1")
    return opened


class TestPresence:
    """A browser that answers no ping is out of reach."""

    def test_who_answers_stays(self, websocket: FakeWebSocket, let_pass: Pass) -> None:
        """However long the page says nothing; one ping an interval is enough to know."""
        let_pass(100 * PRESENCE_S)
        assert not websocket.aborted
        assert websocket.moves == pytest.approx(100, abs=5)

    @pytest.mark.parametrize("loads", [True, False], ids=["loading", "not loading"])
    @pytest.mark.parametrize("answered_for_s", [0.0, 4.0, 5.1, 7.5, 1000.0])
    def test_who_does_not_answer_is_lost_within_two_intervals(
        self,
        sockets: Sockets,
        clock: ManualClock,
        websocket: FakeWebSocket,
        let_pass: Pass,
        answered_for_s: float,
        loads: bool,
    ) -> None:
        """In every phase, and not before one interval has passed; loading is no excuse."""
        let_pass(answered_for_s)
        if loads:
            sockets.follow_load("sid_1", clock.now() + 60.0)
        websocket.answers = False
        let_pass(PRESENCE_S - LOOK_EVERY_S)
        assert not websocket.aborted
        let_pass(PRESENCE_S + 4 * LOOK_EVERY_S)
        assert websocket.aborted
        assert websocket.cause_of_end("transport close") is LossCause.NETWORK_LOST

    def test_a_connection_without_a_session_is_watched_too(
        self, sockets: Sockets, let_pass: Pass
    ) -> None:
        """Presence is a matter of the WebSocket."""
        stranger = FakeWebSocket(sockets)
        stranger.answers = False
        let_pass(2 * PRESENCE_S + 1)
        assert stranger.aborted

    def test_a_page_whose_message_is_being_handled_is_not_silent(
        self, websocket: FakeWebSocket, let_pass: Pass
    ) -> None:
        """What its browser answers is read after it; a store may be waited for meanwhile."""
        websocket.answers = False
        websocket._is_handling = True
        let_pass(10 * PRESENCE_S)
        assert not websocket.aborted
        websocket._is_handling = False
        let_pass(2 * PRESENCE_S)
        assert websocket.aborted

    def test_one_who_is_lost_costs_the_others_nothing(
        self, sockets: Sockets, let_pass: Pass
    ) -> None:
        """Each has turns of its own, also where more are due than are pinged in one go."""
        asleep = [FakeWebSocket(sockets) for _ in range(AT_ONCE + 10)]
        awake = [FakeWebSocket(sockets) for _ in range(AT_ONCE + 10)]
        for one in asleep:
            one.answers = False
        let_pass(2 * PRESENCE_S + 1)
        assert all(one.aborted for one in asleep)
        assert not any(one.aborted for one in awake)

    def test_a_server_that_stood_still_blames_nobody(
        self, watch: Watch, clock: ManualClock, websocket: FakeWebSocket, let_pass: Pass
    ) -> None:
        """Answers may have come that it has not read yet; who is gone is found a turn later."""
        websocket.answers = False
        let_pass(PRESENCE_S + 1.0)
        assert websocket.is_silent
        clock.advance(STALLED_S + LOOK_EVERY_S + PRESENCE_S)
        watch.look(clock.now())
        assert not websocket.aborted
        # Now what came meanwhile has been read, and it has had one look more, as always.
        let_pass(2 * LOOK_EVERY_S)
        assert websocket.aborted

    def test_an_answer_that_is_read_by_the_next_look_counts(
        self, watch: Watch, websocket: FakeWebSocket, let_pass: Pass
    ) -> None:
        """The loop may have been busy when the turn came, and the answer have been there."""
        websocket.answers = False
        let_pass(PRESENCE_S + LOOK_EVERY_S)
        assert websocket.is_silent
        for _ in range(round(PRESENCE_S / LOOK_EVERY_S)):
            if watch._suspects:
                break
            let_pass(LOOK_EVERY_S)
        assert watch._suspects == [websocket]
        assert not websocket.aborted
        websocket.answers = True
        websocket._send_ping()
        let_pass(3 * PRESENCE_S)
        assert not websocket.aborted

    def test_answers_that_came_while_it_stood_still_count(
        self, watch: Watch, clock: ManualClock, websocket: FakeWebSocket, let_pass: Pass
    ) -> None:
        """They are read between that look and the next."""
        websocket.answers = False
        let_pass(PRESENCE_S + 1.0)
        clock.advance(STALLED_S + LOOK_EVERY_S + PRESENCE_S)
        watch.look(clock.now())
        websocket.answers = True
        websocket._send_ping()
        let_pass(3 * PRESENCE_S)
        assert not websocket.aborted

    def test_to_stand_still_again_and_again_hides_nobody(
        self,
        watch: Watch,
        sockets: Sockets,
        clock: ManualClock,
        websocket: FakeWebSocket,
        let_pass: Pass,
    ) -> None:
        """Whoever is dead is missed, by presence and, where that is answered, by the heartbeat."""
        busy = FakeWebSocket(sockets)
        sockets.asked(busy)
        websocket.answers = False
        for _ in range(12):
            let_pass(PRESENCE_S - 1.0)
            clock.advance(STALLED_S + LOOK_EVERY_S)
            watch.look(clock.now())
        assert (websocket.aborted, busy.aborted) == (True, True)

    def test_a_crowd_is_pinged_in_one_look(
        self, watch: Watch, sockets: Sockets, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Others get their turns in between."""
        crowd = [FakeWebSocket(sockets) for _ in range(3 * AT_ONCE)]
        breaths: list[float] = []
        monkeypatch.setattr(clock, "sleep", breaths.append)
        clock.advance(STALLED_S)
        watch.look(clock.now())
        monkeypatch.setattr(watch, "_presence_ping_s", STALLED_S)
        watch.look(clock.now())
        assert [one.moves for one in crowd] == [1] * len(crowd)
        assert breaths == [0, 0, 0]


class TestHeartbeat:
    """A page that answers no heartbeat is lost at its time, unless it loads."""

    @pytest.mark.parametrize("phase_s", [0.0, 0.07, 0.13, 3.9])
    def test_a_silent_page_is_lost_on_time(
        self,
        sockets: Sockets,
        websocket: FakeWebSocket,
        let_pass: Pass,
        phase_s: float,
    ) -> None:
        """Not before its timeout, and at most a look later, in every phase."""
        let_pass(phase_s)
        sockets.asked(websocket)
        let_pass(TIMEOUT_S - 0.01)
        assert not websocket.aborted
        let_pass(0.01 + LOOK_EVERY_S)
        assert websocket.aborted
        assert websocket.cause_of_end("transport close") is LossCause.HEARTBEAT_MISSED

    def test_a_page_that_answers_stays(
        self, sockets: Sockets, websocket: FakeWebSocket, let_pass: Pass
    ) -> None:
        """An answer at the last moment is an answer."""
        for _ in range(5):
            sockets.asked(websocket)
            let_pass(TIMEOUT_S - 0.1)
            sockets.answered(websocket)
        assert not websocket.aborted

    def test_each_page_has_its_own_time(self, sockets: Sockets, let_pass: Pass) -> None:
        """200 pages that fall silent one after the other are lost one after the other."""
        pages = [FakeWebSocket(sockets) for _ in range(200)]
        for number, page in enumerate(pages):
            sockets.bind(page.environ, f"sid_{number}")
            sockets.asked(page)
            let_pass(0.1)
        let_pass(TIMEOUT_S - 200 * 0.1)
        for number in range(0, 200, 20):
            lost = sum(page.aborted for page in pages)
            assert number - 2 <= lost <= number + 2
            let_pass(2.0)

    def test_a_page_that_loads_is_excused_until_its_deadline(
        self, sockets: Sockets, clock: ManualClock, websocket: FakeWebSocket, let_pass: Pass
    ) -> None:
        """Then the ordinary timeout begins, for the PING that it owes already."""
        sockets.asked(websocket)
        sockets.follow_load("sid_1", clock.now() + 60.0)
        let_pass(60.0 + TIMEOUT_S - LOOK_EVERY_S)
        assert not websocket.aborted
        let_pass(2 * LOOK_EVERY_S)
        assert websocket.aborted

    def test_an_old_ping_counts_from_the_completion(
        self, sockets: Sockets, clock: ManualClock, websocket: FakeWebSocket, let_pass: Pass
    ) -> None:
        """A PING that is old when the load ends kills no page; one that stays unanswered does."""
        sockets.asked(websocket)
        sockets.follow_load("sid_1", clock.now() + 60.0)
        let_pass(50.0)
        sockets.follow_load("sid_1", None)
        let_pass(TIMEOUT_S - LOOK_EVERY_S)
        assert not websocket.aborted
        let_pass(2 * LOOK_EVERY_S)
        assert websocket.aborted

    def test_a_completion_excuses_once(
        self, sockets: Sockets, clock: ManualClock, websocket: FakeWebSocket, let_pass: Pass
    ) -> None:
        """Who says again and again that no load goes on gains nothing by it."""
        sockets.follow_load("sid_1", clock.now() + 60.0)
        sockets.follow_load("sid_1", None)
        sockets.asked(websocket)
        for _ in range(10):
            let_pass(TIMEOUT_S / 10)
            sockets.follow_load("sid_1", None)
        let_pass(LOOK_EVERY_S)
        assert websocket.aborted

    def test_without_grace_a_load_excuses_nothing(
        self, sockets: Sockets, websocket: FakeWebSocket, let_pass: Pass
    ) -> None:
        """The control: what servers do that know nothing of loading."""
        sockets.follow_load("sid_1", float("-inf"))
        sockets.asked(websocket)
        let_pass(TIMEOUT_S + LOOK_EVERY_S)
        assert websocket.aborted

    def test_a_server_that_stood_still_blames_nobody(
        self,
        watch: Watch,
        sockets: Sockets,
        clock: ManualClock,
        websocket: FakeWebSocket,
        let_pass: Pass,
    ) -> None:
        """What it could not hear is added to the time of who owes, also after a load's deadline."""
        excused = FakeWebSocket(sockets)
        sockets.bind(excused.environ, "sid_2")
        sockets.follow_load("sid_2", clock.now() + 1.0)
        for one in (websocket, excused):
            sockets.asked(one)
        let_pass(2.0)
        clock.advance(TIMEOUT_S + LOOK_EVERY_S)
        watch.look(clock.now())
        let_pass(TIMEOUT_S - 2.0 - 2 * LOOK_EVERY_S)
        assert not websocket.aborted
        let_pass(3 * LOOK_EVERY_S)
        assert (websocket.aborted, excused.aborted) == (True, False)
        let_pass(1.0)
        assert excused.aborted

    def test_what_was_forgiven_is_not_taken_back(
        self,
        watch: Watch,
        sockets: Sockets,
        clock: ManualClock,
        websocket: FakeWebSocket,
        let_pass: Pass,
    ) -> None:
        """The sweeper tells of the same load again, once its deadline has passed meanwhile."""
        deadline = clock.now() + 5.0
        sockets.follow_load("sid_1", deadline)
        sockets.asked(websocket)
        let_pass(4.0)
        clock.advance(TIMEOUT_S + 10.0)
        watch.look(clock.now())
        sockets.follow_load("sid_1", deadline)
        let_pass(TIMEOUT_S - 1.0)
        assert not websocket.aborted
        sockets.follow_load("sid_1", deadline - 100.0)
        let_pass(LOOK_EVERY_S)
        assert websocket.aborted


class TestBusy:
    """Only a browser that answers has a page that is busy."""

    def test_a_page_that_owes_is_asked_after(
        self, sockets: Sockets, websocket: FakeWebSocket, let_pass: Pass
    ) -> None:
        """Out of turn and once, when it has owed for a second; the answer makes it busy."""
        let_pass(PRESENCE_S)
        moves = websocket.moves
        sockets.asked(websocket)
        let_pass(BUSY_AFTER_S - 0.01)
        assert (websocket.moves, sockets.busy()) == (moves, {})
        let_pass(LOOK_EVERY_S)
        assert websocket.moves == moves + 1
        assert sockets.busy() == sockets.owing() != {}
        let_pass(1.0)
        assert websocket.moves == moves + 1
        sockets.answered(websocket)
        assert sockets.busy() == {}

    def test_a_browser_that_does_not_answer_is_not_asked_again_and_again(
        self, sockets: Sockets, websocket: FakeWebSocket, let_pass: Pass
    ) -> None:
        """Being asked out of turn neither hastens nor delays its loss."""
        let_pass(PRESENCE_S)
        websocket.answers = False
        sockets.asked(websocket)
        let_pass(2 * PRESENCE_S - 2 * LOOK_EVERY_S)
        assert sockets.busy() == {}
        assert not websocket.aborted
        let_pass(4 * LOOK_EVERY_S)
        assert websocket.cause_of_end("transport close") is LossCause.NETWORK_LOST
        assert websocket.aborted

    def test_busy_counts_from_the_ping(
        self, sockets: Sockets, clock: ManualClock, websocket: FakeWebSocket, let_pass: Pass
    ) -> None:
        """What was heard before the PING says nothing of now."""
        let_pass(3 * PRESENCE_S)
        asked_at = clock.now()
        sockets.asked(websocket)
        assert sockets.busy() == {}
        let_pass(2.0)
        assert sockets.busy() == {"sid_1": asked_at}


def test_a_fault_does_not_end_it(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, websocket: FakeWebSocket
) -> None:
    """It is logged, and the next look is made; without a watch nobody would ever be missed."""
    faults = iter([RuntimeError("a fault")])

    def fail() -> None:
        for fault in faults:
            raise fault

    monkeypatch.setattr(websocket, "_send_ping", fail)
    looks = iter([False] * int(3 * PRESENCE_S / LOOK_EVERY_S) + [True])
    with capture_logs() as logged:
        watch.run(lambda: next(looks))
    assert [entry["event"] for entry in logged] == ["watch_failed"]
    assert websocket.aborted


def test_it_runs_until_it_is_over(watch: Watch, clock: ManualClock) -> None:
    """And looks a few times a second."""
    begun = clock.now()
    looks = iter([False] * 10 + [True])
    watch.run(lambda: next(looks))
    assert clock.now() - begun == pytest.approx(10 * LOOK_EVERY_S)
