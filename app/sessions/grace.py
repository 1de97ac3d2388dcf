"""Grace: which deadline a lost link gets, and how long a load may keep one.

Grace cannot be stretched. A page's clock starts with its first load and runs while it loads;
starting again on the same page does not restart it. Reaching a stage that this page has not
reached before gives a full loading timeout from then. Whatever the page does, all loads together
get no more than the session's loading budget, which a success refills.
"""

from app.sessions.models import (
    Allowance,
    GraceKind,
    Loading,
    Policy,
    Runtime,
    RuntimeState,
    Session,
)
from app.sessions.replacing import replace

GOING_AWAY = 1001
"""WebSocket close code of a page that is closed, reloaded or crashed (RFC 6455, 7.4.1)."""

STAGES = ("runtime", "packages", "environment")
"""The stages of a load, in order. A load begins in the first."""


def is_client_in_loading_grace(session: Session, now: float) -> bool:
    """Whether a link lost at `now` is to be taken for a page that loads.

    The one place that decides it: the runtime is loading and its deadline has not come.
    """
    loading = session.runtime.loading
    return (
        session.runtime.state is RuntimeState.LOADING
        and loading is not None
        and now < loading.deadline
    )


def deadline_of_lost_link(
    session: Session, now: float, policy: Policy, close_code: int | None = None
) -> tuple[float, GraceKind]:
    """The deadline of a link lost at `now`, and the grace it comes from.

    The loading grace is never shorter than the reconnect grace. A page that says it is going
    away gets the reconnect grace: a reload fits in it, and a partner does not wait a minute for a
    closed tab.
    """
    if not policy.loading_grace:
        return now, GraceKind.NONE
    reconnect = now + policy.reconnect_grace_s
    loading = session.runtime.loading
    if is_client_in_loading_grace(session, now) and loading and close_code != GOING_AWAY:
        return max(reconnect, loading.deadline), GraceKind.LOADING
    return reconnect, GraceKind.RECONNECT


def excused_until(session: Session, policy: Policy) -> float | None:
    """Until when heartbeats that a connected page misses are excused; None where it does not load.

    It is the deadline of its load, also once that has passed: then the age of a PING counts from
    it. Without grace there is no excuse.
    """
    loading = session.runtime.loading
    if loading is None:
        return None
    return loading.deadline if policy.loading_grace else float("-inf")


def start_deadline(allowance: Allowance, now: float) -> float:
    """The deadline of a load that begins at `now`."""
    return now + min(allowance.page_s, allowance.budget_s)


def reach_stage(runtime: Runtime, stage: str, now: float, policy: Policy) -> Runtime:
    """The runtime once its load has come to `stage`; a stage reached before extends nothing."""
    loading = runtime.loading
    reached = STAGES.index(stage)
    if loading is None or reached <= STAGES.index(loading.stage):
        return runtime
    allowance = runtime.allowance
    deadline, overdue = loading.deadline, loading.overdue
    if reached > allowance.stages:
        budget_ends = runtime.since + allowance.budget_s
        full = min(now + policy.loading_timeout_s, budget_ends)
        allowance = replace(allowance, stages=reached)
        # A deadline that has passed is not moved to another one that has passed.
        if full > max(now, deadline):
            deadline, overdue = full, False
    loading = replace(loading, stage=stage, deadline=deadline, overdue=overdue)
    return replace(runtime, loading=loading, allowance=allowance)


def stop_clock(runtime: Runtime, now: float) -> Allowance:
    """What is left of the allowance when the load under way stops at `now` without success."""
    loading: Loading | None = runtime.loading
    if loading is None:
        return runtime.allowance
    spent = max(0.0, now - runtime.since)
    return replace(
        runtime.allowance,
        page_s=max(0.0, loading.deadline - now),
        budget_s=max(0.0, runtime.allowance.budget_s - spent),
    )
