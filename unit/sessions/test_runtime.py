"""The runtime: the participant's Python, cold, loading, ready or failed."""

import pytest

from app.errors import IllegalTransition
from app.sessions import RuntimeState, Session, advance
from app.sessions.events import (
    DeadlinePassed,
    LoadingEnded,
    PageConnected,
    Restated,
    ServerRestarted,
    StageReached,
)
from app.sessions.runtime import ENDED_ATTEMPTS_KEPT
from unit.fakes.sessions import (
    NOW,
    POLICY,
    after,
    after_opening,
    away,
    end,
    failed,
    loading,
    opened,
    ready,
    records,
    saved,
    start,
)


def back(
    state: RuntimeState, attempt_id: str | None = None, stage: str | None = None
) -> PageConnected:
    """The same page connects and states its runtime."""
    return PageConnected("page_0001", Restated(state, attempt_id, stage))


def overdue() -> Session:
    """A connected session whose load has passed its deadline."""
    return after(loading(), DeadlinePassed(NOW + 60.0, 1), at=60.0)


@pytest.mark.parametrize("session", [opened(), ready(), failed()], ids=["cold", "ready", "failed"])
def test_a_start_begins_a_load(session: Session) -> None:
    """A load can begin from every state in which none is under way, and is logged."""
    step = advance(session, start("attempt_2"), NOW, POLICY)
    begun = saved(step).runtime
    assert begun.state is RuntimeState.LOADING
    assert begun.loading is not None
    assert begun.loading.deadline == NOW + 60.0
    assert step.records[0].fields == {
        "attempt_id": "attempt_2",
        "path": "preload",
        "runtime": "main",
        "deadline_in_s": 60.0,
    }


def test_starting_twice_is_starting_once() -> None:
    """A start that is sent again, because its answer was lost, does not restart the clock."""
    session = loading()
    step = advance(session, start(), NOW + 30.0, POLICY)
    assert step.session == session
    assert step.effects == ()


def test_a_late_start_of_an_ended_attempt_is_ignored() -> None:
    """An attempt that has ended does not begin again, whatever arrives late."""
    for session in (ready(), failed()):
        assert after(session, start(), at=5.0) == session


def test_another_attempt_of_the_same_page_goes_on_with_its_clock() -> None:
    """A page that gives one attempt up for another gains no time, and the first is over."""
    session = after(loading(), start("attempt_2"), at=20.0)
    assert session.runtime.loading is not None
    assert session.runtime.loading.attempt_id == "attempt_2"
    assert session.runtime.loading.deadline == NOW + 60.0
    assert session.runtime.ended_attempts == ("attempt_1",)


def test_success_makes_the_runtime_ready() -> None:
    """A completion ends the load, logs how long it took with its report, and refills the grace."""
    report = {"longest_block_ms": 26000.0}
    step = advance(loading(), LoadingEnded("attempt_1", None, report), NOW + 26.0, POLICY)
    runtime = saved(step).runtime
    assert runtime.state is RuntimeState.READY
    assert runtime.loading is None
    assert runtime.allowance == POLICY.fresh_allowance()
    assert records(step) == ["loading_completed"]
    assert step.records[0].fields["loading_s"] == 26.0
    assert step.records[0].fields["report"] == report


def test_an_error_makes_the_runtime_failed() -> None:
    """A load that failed is over and logged with its error; its time is used up."""
    step = advance(loading(), end(error="no memory"), NOW + 26.0, POLICY)
    runtime = saved(step).runtime
    assert runtime.state is RuntimeState.FAILED
    assert runtime.allowance.budget_s == POLICY.loading_budget_s - 26.0
    assert records(step) == ["loading_failed"]
    assert step.records[0].fields["error"] == "no memory"


def test_ending_twice_is_ending_once() -> None:
    """A completion that is sent again changes nothing, not even when it now says otherwise."""
    session = ready()
    step = advance(session, end(error="failed"), NOW + 30.0, POLICY)
    assert step.session == session
    assert step.effects == ()


@pytest.mark.parametrize("event", [end("attempt_9"), StageReached("attempt_9", "packages")])
@pytest.mark.parametrize(
    "session", [opened(), loading(), ready(), failed()], ids=["cold", "loading", "ready", "failed"]
)
def test_an_attempt_that_nobody_started_is_refused(
    session: Session, event: LoadingEnded | StageReached
) -> None:
    """What is said of an unknown attempt is an illegal transition."""
    with pytest.raises(IllegalTransition):
        advance(session, event, NOW, POLICY)


def test_a_stage_is_logged_once() -> None:
    """Each stage of a load is in the log when it is reached for the first time."""
    first = advance(loading(), StageReached("attempt_1", "packages"), NOW + 9.0, POLICY)
    assert records(first) == ["loading_stage_reached"]
    again = advance(saved(first), StageReached("attempt_1", "packages"), NOW + 10.0, POLICY)
    assert again.effects == ()


def test_a_late_stage_of_an_ended_attempt_is_ignored() -> None:
    """What an ended attempt reached does not matter any more."""
    session = ready()
    assert after(session, StageReached("attempt_1", "environment")) == session


def test_a_reload_has_no_python() -> None:
    """A new page is cold, whatever the old one was doing."""
    for session in (loading(), ready(), failed()):
        reloaded = after(session, PageConnected("page_0002"), at=5.0)
        assert reloaded.runtime.state is RuntimeState.COLD
        assert reloaded.runtime.loading is None


def test_a_new_page_may_restate_the_load() -> None:
    """A client without page ids is a new page each time, with the same load under way."""
    stated = Restated(RuntimeState.LOADING, "attempt_1")
    session = after(loading(), PageConnected("page_0002", stated), at=5.0)
    assert session.runtime.state is RuntimeState.LOADING
    assert after(session, end(), at=6.0).runtime.state is RuntimeState.READY


@pytest.mark.parametrize("state", [RuntimeState.READY, RuntimeState.FAILED, RuntimeState.COLD])
def test_a_new_page_may_restate_that_the_load_has_ended(state: RuntimeState) -> None:
    """Then the runtime is as it says, and what arrives late of that attempt is ignored."""
    stated = Restated(state, "attempt_1")
    session = after(loading(), PageConnected("page_0002", stated), at=5.0)
    assert session.runtime.state is state
    assert after(session, start(), end(), at=6.0) == session


def test_the_same_page_that_states_nothing_keeps_its_runtime() -> None:
    """A reconnection alone says nothing about Python."""
    session = loading()
    assert after(session, PageConnected("page_0001")).runtime == session.runtime


def test_a_restated_load_is_a_start() -> None:
    """A load that the server never heard of begins with its restatement, at its stage."""
    session = after(away(), back(RuntimeState.LOADING, "attempt_1", "packages"), at=3.0)
    assert session.runtime.loading is not None
    assert session.runtime.loading.stage == "packages"
    assert session.runtime.loading.deadline == NOW + 63.0


def test_a_new_session_may_begin_with_a_load() -> None:
    """A page that connects for the first time while it loads has its grace from then on."""
    stated = Restated(RuntimeState.LOADING, "attempt_1")
    session, effects = after_opening(runtime=stated)
    assert session.runtime.state is RuntimeState.LOADING
    assert len(effects) == 2


def test_a_restated_load_that_is_known_goes_on() -> None:
    """Restating does not restart the clock."""
    session = away(loading(), at=10.0)
    returned = after(session, back(RuntimeState.LOADING, "attempt_1"), at=40.0)
    assert returned.runtime == session.runtime


def test_a_restated_attempt_that_has_ended_stays_ended() -> None:
    """A page whose completion was taken, but not acknowledged to it, does not load again."""
    assert after(ready(), back(RuntimeState.LOADING, "attempt_1")).runtime == ready().runtime


def test_a_completion_counts_for_the_attempt_restated() -> None:
    """The buffered completion of a load that was restated at CONNECT is taken."""
    session = after(away(), back(RuntimeState.LOADING, "attempt_7"), end("attempt_7"), at=3.0)
    assert session.runtime.state is RuntimeState.READY


def test_a_page_that_says_ready_has_completed() -> None:
    """`ready` at CONNECT ends the load that the server believes to be under way."""
    step = advance(away(loading()), back(RuntimeState.READY), NOW + 9.0, POLICY)
    assert saved(step).runtime.state is RuntimeState.READY
    assert "loading_completed" in records(step)


@pytest.mark.parametrize("stated", [RuntimeState.COLD, RuntimeState.FAILED])
def test_a_page_that_no_longer_loads_has_failed(stated: RuntimeState) -> None:
    """A page that knows of no load has given it up, so its partner need not wait for it."""
    step = advance(away(loading()), back(stated), NOW + 9.0, POLICY)
    assert saved(step).runtime.state is RuntimeState.FAILED
    assert "loading_failed" in records(step)


def test_a_page_is_believed_about_itself() -> None:
    """Without a load under way the runtime is what the page says."""
    assert after(opened(), back(RuntimeState.READY)).runtime.state is RuntimeState.READY
    assert after(ready(), back(RuntimeState.COLD)).runtime.state is RuntimeState.COLD


def test_a_load_without_an_attempt_is_no_load() -> None:
    """A restated load that names no attempt could never be completed, so it is passed over."""
    assert after(opened(), back(RuntimeState.LOADING)).runtime == opened().runtime


def test_an_overdue_load_is_logged_once_and_stays_loading() -> None:
    """Passing the deadline while connected is logged; the runtime stays as it is."""
    step = advance(loading(), DeadlinePassed(NOW + 60.0, 1), NOW + 60.1, POLICY)
    session = saved(step)
    assert records(step) == ["loading_overdue"]
    assert session.runtime.state is RuntimeState.LOADING
    assert session.deadline is None


def test_a_load_whose_page_is_lost_is_not_overdue() -> None:
    """`loading_overdue` is said of a page that is connected; a grace that ends is `gone`."""
    session = away(loading())
    step = advance(session, DeadlinePassed(NOW + 60.0, 1), NOW + 60.0, POLICY)
    assert records(step) == ["session_gone", "cleanup_done"]


def test_an_overdue_load_that_reaches_a_stage_is_in_time_again() -> None:
    """Reaching the next stage extends to a full timeout from then, also when it was overdue."""
    session = after(overdue(), StageReached("attempt_1", "packages"), at=70.0)
    assert session.runtime.loading is not None
    assert session.runtime.loading.overdue is False
    assert session.deadline == NOW + 130.0


def test_an_attempt_that_begins_with_nothing_left_is_overdue() -> None:
    """With the page's clock used up, another attempt is given nothing, and is not due at once."""
    session = after(overdue(), start("attempt_2"), at=70.0)
    assert session.runtime.loading is not None
    assert session.runtime.loading.overdue is True
    assert session.deadline is None


def test_a_restart_does_not_use_up_the_loading_grace() -> None:
    """The time that the server was down counts neither for the clock nor for the budget."""
    session = after(loading(), ServerRestarted(100.0), at=110.0)
    assert session.runtime.loading is not None
    assert session.runtime.loading.deadline == NOW + 160.0
    assert session.runtime.since == NOW + 100.0


def test_the_memory_of_ended_attempts_is_bounded() -> None:
    """However often a page tries, the session stays small and knows the latest attempts."""
    session = opened()
    for number in range(ENDED_ATTEMPTS_KEPT + 5):
        attempt_id = f"attempt_{number}"
        session = after(session, start(attempt_id), end(attempt_id))
    assert len(session.runtime.ended_attempts) == ENDED_ATTEMPTS_KEPT
    assert session.runtime.ended_attempts[-1] == f"attempt_{ENDED_ATTEMPTS_KEPT + 4}"
