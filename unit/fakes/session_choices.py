"""What can happen to a session: every event, with every parameter that a decision tells apart.

Epochs, pages, attempts and games are only ever compared for equality, so each event comes in the
roles that they can have: the present one, an earlier one, one never heard of.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

from app.errors import IllegalTransition
from app.sessions import LinkState, Policy, RuntimeState, Session, Step, advance
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
from app.sessions.grace import GOING_AWAY, STAGES
from app.studies import StagerState

TICK_S = 1.0
"""The least time that passes."""

NEXT_SCENE = StagerState("next")


@dataclass(slots=True)
class Choice:
    """Something that can happen: an event, or (None) nothing but `elapsed_s` of time."""

    name: str
    event: SessionEvent | None
    elapsed_s: float = 0.0


@dataclass(slots=True)
class Change:
    """An event that happened to a session, and what became of it; `step` None: it was refused."""

    before: Session
    event: SessionEvent
    now: float
    policy: Policy
    step: Step | None

    @property
    def after(self) -> Session:
        """The session that the event has left."""
        assert self.step is not None, "refused"
        assert self.step.session is not None, "pruned"
        return self.step.session


def choices(session: Session, now: float, waiting_s: float) -> Iterator[Choice]:
    """Everything that can happen to a session at `now`; who queues may do so for `waiting_s`."""
    epoch, due = session.epoch, session.deadline
    yield Choice("time passes", None, TICK_S)
    yield Choice("the server restarts", ServerRestarted(TICK_S), TICK_S)
    if session.link.state is not LinkState.GONE:
        # Setting the clock back keeps a session that is over listed for longer, without end.
        yield Choice("it restarts, the clock set back", ServerRestarted(-TICK_S), -TICK_S)
    for code in (None, GOING_AWAY, 1006):
        yield Choice(f"the connection is lost ({code})", ConnectionLost(epoch, "lost", code))
    yield Choice("an old connection is lost", ConnectionLost(epoch - 1, "lost", GOING_AWAY))
    if due is not None:
        yield Choice("the deadline is swept", DeadlinePassed(due, epoch))
        yield Choice("the deadline of an old epoch is swept", DeadlinePassed(due, epoch - 1))
    yield Choice("an old deadline is swept", DeadlinePassed((due or now) - TICK_S / 4, epoch))
    yield Choice("the participant leaves", LeaveRequested())
    yield Choice("a scene is entered", SceneEntered(NEXT_SCENE))
    yield Choice("the last scene is entered", SceneEntered(NEXT_SCENE, final=True))
    yield Choice("the queue is joined", QueueJoined())
    yield Choice("the queue is joined for a while", QueueJoined(waiting_s))
    yield Choice("a game is found", Matched("game"))
    yield Choice("another game ends", GameOver("another", NEXT_SCENE))
    if (game := session.place.game_id) is not None:
        yield Choice("the game ends", GameOver(game, NEXT_SCENE))
        again = GameOver(game, NEXT_SCENE, requeue=True, timeout_s=waiting_s)
        yield Choice("the game ends unstarted", again)
        yield Choice("its player held it up", replace(again, in_front=False, timeout_s=None))
    yield from _loading_choices(session)


def _loading_choices(session: Session) -> Iterator[Choice]:
    """What pages say of their Python, in messages and when they connect."""
    runtime = session.runtime
    present = None if runtime.loading is None else runtime.loading.attempt_id
    ended = runtime.ended_attempts
    unknown = next(n for i in count() if (n := f"attempt_{i}") not in (*ended, present))
    attempts = {"a new attempt": unknown}
    stated: dict[str, Restated | None] = {"nothing": None, "a load": Restated(RuntimeState.LOADING)}
    for state in (RuntimeState.COLD, RuntimeState.READY, RuntimeState.FAILED):
        stated[state.value] = Restated(state)
    if ended:
        attempts["an ended attempt"] = ended[-1]
    if present is not None:
        attempts["the attempt"] = present
    for name, attempt in attempts.items():
        yield Choice(f"{name} starts", LoadingStarted(attempt, "preload", "main"))
        yield Choice(f"{name} succeeds", LoadingEnded(attempt))
        stages = STAGES if attempt == present else STAGES[1:2]
        for stage in stages:
            yield Choice(f"{name} comes to {stage}", StageReached(attempt, stage))
        if attempt == present:
            yield Choice(f"{name} fails", LoadingEnded(attempt, "no memory"))
        stated[f"{name} at its end"] = Restated(RuntimeState.LOADING, attempt, STAGES[-1])
        if attempt not in ended:
            stated[name] = Restated(RuntimeState.LOADING, attempt)
    pages = {"the page": session.page_id, "a new page": f"page_{session.epoch + 1}"}
    for page, page_id in pages.items():
        for what, restated_as in stated.items():
            yield Choice(f"{page} connects, stating {what}", PageConnected(page_id, restated_as))


def try_choice(
    session: Session, choice: Choice, now: float, policy: Policy
) -> tuple[Step | None, float]:
    """What a choice makes of a session (None: it is refused), and when that is."""
    at = now + choice.elapsed_s
    if choice.event is None:
        return Step(session), at
    try:
        return advance(session, choice.event, at, policy), at
    except IllegalTransition:
        return None, at


def try_again(change: Change) -> Change:
    """The same event once more, at the same instant, after a change."""
    choice = Choice("again", change.event)
    step, _ = try_choice(change.after, choice, change.now, change.policy)
    return Change(change.after, change.event, change.now, change.policy, step)
