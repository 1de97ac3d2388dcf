"""The link: connected, away with a deadline running, gone for good."""

from app.sessions.effects import CloseConnection, Effect, Record, Step, WakeSweeper
from app.sessions.events import (
    ConnectionLost,
    DeadlinePassed,
    LeaveRequested,
    PageConnected,
    SceneEntered,
    ServerRestarted,
)
from app.sessions.grace import deadline_of_lost_link
from app.sessions.models import (
    GraceKind,
    Link,
    LinkState,
    LossCause,
    Policy,
    Session,
    WhyGone,
)
from app.sessions.replacing import replace
from app.sessions.table import Machine, Rule, stay

REPLACED_PAGES_KEPT = 32
"""How many replaced pages a session remembers; each reload makes one."""


def go(session: Session, why: WhyGone, now: float, policy: Policy) -> Session:
    """The session with its link gone, and the time until which it stays listed."""
    deadline = now + policy.gone_kept_s
    return replace(session, link=Link(state=LinkState.GONE, since=now, deadline=deadline, why=why))


def _connect(session: Session, event: PageConnected, now: float, policy: Policy) -> Step:
    old = session.link
    if old.state is LinkState.AWAY and old.deadline is not None and old.deadline <= now:
        return Step(go(session, WhyGone.DEADLINE_PASSED, now, policy))
    is_new_page = event.page_id != session.page_id
    replaced = session.replaced_pages
    if is_new_page:
        replaced = (*replaced, session.page_id)[-REPLACED_PAGES_KEPT:]
    after = replace(
        session,
        epoch=session.epoch + 1,
        page_id=event.page_id,
        replaced_pages=replaced,
        link=Link(state=LinkState.CONNECTED, since=now),
    )
    effects: list[Effect] = [
        CloseConnection(session.epoch, taken_over=is_new_page),
        Record("session_opened", {"epoch": after.epoch, "resumed": True, "new_page": is_new_page}),
    ]
    if old.state is LinkState.AWAY:
        effects.append(
            Record("link_restored", {"epoch": after.epoch, "away_s": round(now - old.since, 3)})
        )
    return Step(after, tuple(effects))


def _lose(session: Session, event: ConnectionLost, now: float, policy: Policy) -> Step:
    deadline, grace = deadline_of_lost_link(session, now, policy, event.close_code)
    return _away(session, event, deadline, grace, now)


def _lose_with_server(session: Session, event: ServerRestarted, now: float, policy: Policy) -> Step:
    deadline, grace = deadline_of_lost_link(session, now, policy)
    cause = LossCause.SERVER_RESTART
    lost = ConnectionLost(session.epoch, reason=cause.value, cause=cause)
    return _away(session, lost, deadline, grace, now)


def _away(
    session: Session, loss: ConnectionLost, deadline: float, grace: GraceKind, now: float
) -> Step:
    lost = Record(
        "link_lost",
        {
            "epoch": session.epoch,
            "cause": loss.cause.value,
            "reason": loss.reason,
            "close_code": loss.close_code,
            "grace": grace.value,
            "deadline_in_s": round(deadline - now, 3),
            **({} if loss.silent_s is None else {"silent_s": round(loss.silent_s, 3)}),
        },
    )
    link = Link(state=LinkState.AWAY, since=now, deadline=deadline, grace=grace)
    effects: tuple[Effect, ...] = (lost,)
    if deadline <= now:
        effects = (lost, WakeSweeper())
    return Step(replace(session, link=link), effects)


def _move_deadline(session: Session, event: ServerRestarted, now: float, policy: Policy) -> Step:
    deadline = (session.link.deadline or now) + event.down_s
    if policy.loading_grace:
        deadline = max(deadline, now + policy.reconnect_grace_s)
    return Step(replace(session, link=replace(session.link, deadline=deadline)))


def _prune_in_time(session: Session, event: ServerRestarted, now: float, policy: Policy) -> Step:
    # Of a clock that was ahead, or of longer keeping: nobody stays listed for longer than now.
    kept_until = min(session.link.deadline or now, now + policy.gone_kept_s)
    return Step(replace(session, link=replace(session.link, deadline=kept_until)))


def _end_grace(session: Session, event: DeadlinePassed, now: float, policy: Policy) -> Step:
    return Step(go(session, WhyGone.DEADLINE_PASSED, now, policy))


def _prune(session: Session, event: DeadlinePassed, now: float, policy: Policy) -> Step:
    return Step(None)


def _leave(session: Session, event: LeaveRequested, now: float, policy: Policy) -> Step:
    return Step(go(session, WhyGone.LEFT, now, policy))


def _finish(session: Session, event: SceneEntered, now: float, policy: Policy) -> Step:
    return Step(go(session, WhyGone.FINISHED, now, policy) if event.final else session)


_CONNECTED, _AWAY, _GONE = LinkState.CONNECTED, LinkState.AWAY, LinkState.GONE

LINK = Machine(
    name="link",
    state_of=lambda session: session.link.state,
    table={
        (_CONNECTED, PageConnected): Rule(_connect, to=(_CONNECTED,)),
        (_AWAY, PageConnected): Rule(_connect, to=(_CONNECTED, _GONE)),
        (_CONNECTED, ConnectionLost): Rule(_lose, to=(_AWAY,)),
        (_AWAY, ConnectionLost): Rule(stay, to=(_AWAY,)),
        (_GONE, ConnectionLost): Rule(stay, to=(_GONE,)),
        (_CONNECTED, DeadlinePassed): Rule(stay, to=(_CONNECTED,)),
        (_AWAY, DeadlinePassed): Rule(_end_grace, to=(_GONE,)),
        (_GONE, DeadlinePassed): Rule(_prune, to=()),
        (_CONNECTED, ServerRestarted): Rule(_lose_with_server, to=(_AWAY,)),
        (_AWAY, ServerRestarted): Rule(_move_deadline, to=(_AWAY,)),
        (_GONE, ServerRestarted): Rule(_prune_in_time, to=(_GONE,)),
        (_CONNECTED, LeaveRequested): Rule(_leave, to=(_GONE,)),
        (_AWAY, LeaveRequested): Rule(_leave, to=(_GONE,)),
        (_CONNECTED, SceneEntered): Rule(_finish, to=(_CONNECTED, _GONE)),
        (_AWAY, SceneEntered): Rule(_finish, to=(_AWAY, _GONE)),
    },
)
"""The link's table."""
