"""The runtime: the participant's Python, cold, loading, ready or failed."""

from app.errors import IllegalTransition
from app.sessions.effects import Record, Step
from app.sessions.events import (
    DeadlinePassed,
    LoadingEnded,
    LoadingStarted,
    PageConnected,
    PageReplaced,
    Restated,
    ServerRestarted,
    StageReached,
)
from app.sessions.grace import STAGES, reach_stage, start_deadline, stop_clock
from app.sessions.models import LinkState, Loading, Policy, Runtime, RuntimeState, Session
from app.sessions.replacing import replace
from app.sessions.table import Machine, Rule, stay

ENDED_ATTEMPTS_KEPT = 16
"""How many ended attempts a session remembers, to know a late message of one."""


def _start(session: Session, event: LoadingStarted, now: float, policy: Policy) -> Step:
    runtime = session.runtime
    if event.attempt_id in runtime.ended_attempts:
        return Step(session)
    loading = runtime.loading
    if loading is not None and loading.attempt_id == event.attempt_id:
        return Step(session)
    if loading is None:
        deadline, since = start_deadline(runtime.allowance, now), now
    else:
        # The page gave up one attempt for another; its clock goes on.
        deadline, since = loading.deadline, runtime.since
        runtime = _remember(runtime, loading.attempt_id)
    begun = Loading(
        attempt_id=event.attempt_id,
        path=event.path,
        where=event.where,
        stage=STAGES[0],
        deadline=deadline,
        overdue=deadline <= now,
    )
    runtime = replace(runtime, state=RuntimeState.LOADING, since=since, loading=begun)
    record = Record(
        "loading_started",
        {
            "attempt_id": event.attempt_id,
            "path": event.path,
            "runtime": event.where,
            "deadline_in_s": round(deadline - now, 3),
        },
    )
    return Step(replace(session, runtime=runtime), (record,))


def _reach(session: Session, event: StageReached, now: float, policy: Policy) -> Step:
    loading = session.runtime.loading
    if loading is None or loading.attempt_id != event.attempt_id:
        return _late(session, event)
    runtime = reach_stage(session.runtime, event.stage, now, policy)
    if runtime is session.runtime:
        return Step(session)
    record = Record("loading_stage_reached", {"attempt_id": event.attempt_id, "stage": event.stage})
    return Step(replace(session, runtime=runtime), (record,))


def _end(session: Session, event: LoadingEnded, now: float, policy: Policy) -> Step:
    loading = session.runtime.loading
    if loading is None or loading.attempt_id != event.attempt_id:
        return _late(session, event)
    fields = {
        "attempt_id": event.attempt_id,
        "path": loading.path,
        "loading_s": round(now - session.runtime.since, 3),
        "report": event.report,
    }
    runtime = _remember(session.runtime, event.attempt_id)
    if event.error is None:
        runtime = _ended(runtime, RuntimeState.READY, now, policy)
        record = Record("loading_completed", fields)
    else:
        runtime = _ended(runtime, RuntimeState.FAILED, now, policy)
        record = Record("loading_failed", {**fields, "error": event.error})
    return Step(replace(session, runtime=runtime), (record,))


def _late(session: Session, event: StageReached | LoadingEnded) -> Step:
    if event.attempt_id in session.runtime.ended_attempts:
        return Step(session)
    raise IllegalTransition("runtime", session.runtime.state, type(event).__name__)


def _replace_page(session: Session, event: PageReplaced, now: float, policy: Policy) -> Step:
    runtime = session.runtime
    allowance = replace(stop_clock(runtime, now), page_s=policy.loading_timeout_s, stages=0)
    if runtime.loading is not None and runtime.loading.attempt_id != event.restated_attempt:
        runtime = _remember(runtime, runtime.loading.attempt_id)
    runtime = replace(
        runtime, state=RuntimeState.COLD, since=now, loading=None, allowance=allowance
    )
    return Step(replace(session, runtime=runtime))


def _connect(session: Session, event: PageConnected, now: float, policy: Policy) -> Step:
    if event.runtime is None:
        return Step(session)
    return _restate(session, event.runtime, now, policy)


def _restate(session: Session, stated: Restated, now: float, policy: Policy) -> Step:
    """Bring the runtime to what the page says of itself; what ended here stays ended."""
    known = session.runtime
    attempt_id = stated.attempt_id
    if stated.state is RuntimeState.LOADING and attempt_id is not None:
        step = _start(session, LoadingStarted(attempt_id, "restated", "main"), now, policy)
        if stated.stage is None or step.session is None:
            return step
        reached = _reach(step.session, StageReached(attempt_id, stated.stage), now, policy)
        return Step(reached.session, step.effects + reached.effects)
    if stated.state is known.state:
        return Step(session)
    if known.loading is not None and stated.state is RuntimeState.READY:
        return _end(session, LoadingEnded(known.loading.attempt_id), now, policy)
    if known.loading is not None:
        # The page knows of no load: it gave the attempt up or never got to it.
        error = "the page no longer loads"
        return _end(session, LoadingEnded(known.loading.attempt_id, error), now, policy)
    if stated.state is RuntimeState.LOADING:
        return Step(session)
    runtime = _ended(known, stated.state, now, policy)
    return Step(replace(session, runtime=runtime))


def _overdue(session: Session, event: DeadlinePassed, now: float, policy: Policy) -> Step:
    loading = session.runtime.loading
    if loading is None or loading.overdue or loading.deadline > now:
        return Step(session)
    if session.link.state is not LinkState.CONNECTED:
        return Step(session)
    runtime = replace(session.runtime, loading=replace(loading, overdue=True))
    record = Record("loading_overdue", {"attempt_id": loading.attempt_id, "stage": loading.stage})
    return Step(replace(session, runtime=runtime), (record,))


def _move_deadline(session: Session, event: ServerRestarted, now: float, policy: Policy) -> Step:
    runtime = session.runtime
    if runtime.loading is None:
        return Step(session)
    loading = replace(runtime.loading, deadline=runtime.loading.deadline + event.down_s)
    runtime = replace(runtime, loading=loading, since=runtime.since + event.down_s)
    return Step(replace(session, runtime=runtime))


def _remember(runtime: Runtime, attempt_id: str) -> Runtime:
    ended = (*runtime.ended_attempts, attempt_id)[-ENDED_ATTEMPTS_KEPT:]
    return replace(runtime, ended_attempts=ended)


def _ended(runtime: Runtime, state: RuntimeState, now: float, policy: Policy) -> Runtime:
    succeeded = state is RuntimeState.READY
    allowance = policy.fresh_allowance() if succeeded else stop_clock(runtime, now)
    return replace(runtime, state=state, since=now, loading=None, allowance=allowance)


_COLD, _LOADING = RuntimeState.COLD, RuntimeState.LOADING
_READY, _FAILED = RuntimeState.READY, RuntimeState.FAILED
_ANY = (_COLD, _LOADING, _READY, _FAILED)

RUNTIME = Machine(
    name="runtime",
    state_of=lambda session: session.runtime.state,
    table={
        (_COLD, LoadingStarted): Rule(_start, to=(_LOADING, _COLD)),
        (_LOADING, LoadingStarted): Rule(_start, to=(_LOADING,)),
        (_READY, LoadingStarted): Rule(_start, to=(_LOADING, _READY)),
        (_FAILED, LoadingStarted): Rule(_start, to=(_LOADING, _FAILED)),
        (_COLD, StageReached): Rule(_reach, to=(_COLD,)),
        (_LOADING, StageReached): Rule(_reach, to=(_LOADING,)),
        (_READY, StageReached): Rule(_reach, to=(_READY,)),
        (_FAILED, StageReached): Rule(_reach, to=(_FAILED,)),
        (_COLD, LoadingEnded): Rule(_end, to=(_COLD,)),
        (_LOADING, LoadingEnded): Rule(_end, to=(_LOADING, _READY, _FAILED)),
        (_READY, LoadingEnded): Rule(_end, to=(_READY,)),
        (_FAILED, LoadingEnded): Rule(_end, to=(_FAILED,)),
        (_COLD, PageConnected): Rule(_connect, to=_ANY),
        (_LOADING, PageConnected): Rule(_connect, to=(_LOADING, _READY, _FAILED)),
        (_READY, PageConnected): Rule(_connect, to=_ANY),
        (_FAILED, PageConnected): Rule(_connect, to=_ANY),
        (_COLD, PageReplaced): Rule(_replace_page, to=(_COLD,)),
        (_LOADING, PageReplaced): Rule(_replace_page, to=(_COLD,)),
        (_READY, PageReplaced): Rule(_replace_page, to=(_COLD,)),
        (_FAILED, PageReplaced): Rule(_replace_page, to=(_COLD,)),
        (_COLD, DeadlinePassed): Rule(stay, to=(_COLD,)),
        (_LOADING, DeadlinePassed): Rule(_overdue, to=(_LOADING,)),
        (_READY, DeadlinePassed): Rule(stay, to=(_READY,)),
        (_FAILED, DeadlinePassed): Rule(stay, to=(_FAILED,)),
        (_COLD, ServerRestarted): Rule(stay, to=(_COLD,)),
        (_LOADING, ServerRestarted): Rule(_move_deadline, to=(_LOADING,)),
        (_READY, ServerRestarted): Rule(stay, to=(_READY,)),
        (_FAILED, ServerRestarted): Rule(stay, to=(_FAILED,)),
    },
)
"""The runtime's table."""
