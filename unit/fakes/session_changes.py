"""What a change of one session was, and sets of rules that such a change is held against."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import get_args

from app.sessions import LinkState, PlaceState, RuntimeState, Session
from app.sessions.events import (
    ConnectionLost,
    DeadlinePassed,
    LoadingEnded,
    Matched,
    SceneEntered,
    ServerRestarted,
    SessionEvent,
    StageReached,
)
from unit.fakes.session_choices import Change

Check = Callable[[Change], None]
"""Raises AssertionError when a change breaks a rule. Its docstring is the sentence it proves."""


@dataclass(slots=True)
class Rules:
    """A set of checks, each with the number of its rule and the events that it concerns."""

    checks: list[tuple[int, tuple[type, ...], Check]] = field(default_factory=list)

    def __call__(self, number: int, *events: type) -> Callable[[Check], Check]:
        """Register a check of a rule for these events; without any, for whatever has an outcome.

        A check for certain events is not asked when the event was refused or the session is gone,
        one for every event not when the event was refused or had no outcome at all.
        """

        def register(check: Check) -> Check:
            self.checks.append((number, events, check))
            return check

        return register

    @property
    def sentences(self) -> list[tuple[int, str]]:
        """The number and the sentence of each check, in order."""
        return sorted((number, check.__doc__ or "") for number, _, check in self.checks)

    def checker(self) -> Check:
        """One check that holds a change against every rule which concerns it."""
        of_any = [check for _, events, check in self.checks if not events]
        of_event: dict[type, list[Check]] = {
            event: [check for _, events, check in self.checks if event in events]
            for event in get_args(SessionEvent)
        }

        def check_all(change: Change) -> None:
            check_answer(change)
            step = change.step
            if step is None:
                return
            if step.session is not change.before or step.effects:
                for check in of_any:
                    check(change)
            if change.before.link.state is not LinkState.GONE:
                for check in of_event[type(change.event)]:
                    check(change)

        return check_all


def nothing_changed(change: Change) -> bool:
    """Whether the event left everything as it was, and caused nothing."""
    step = change.step
    return step is not None and step.session == change.before and step.effects == ()


def only_changed(change: Change, *parts: str) -> bool:
    """Whether no other part of the session than these has changed."""
    before, after = change.before, change.after
    every = ("epoch", "page_id", "replaced_pages", "link", "runtime", "place", "scene")
    return all(getattr(before, one) == getattr(after, one) for one in every if one not in parts)


def logged(change: Change) -> list[str]:
    """What the log says of the change."""
    return [] if change.step is None else [record.event for record in change.step.records]


def is_due(change: Change) -> bool:
    """Whether the link of somebody who is away has come to its deadline."""
    link = change.before.link
    assert (link.state is LinkState.AWAY) <= (link.deadline is not None)
    return link.state is LinkState.AWAY and (link.deadline or 0.0) <= change.now


def became_gone(change: Change) -> bool:
    """Whether the change ended the session."""
    if change.step is None or change.step.session is None:
        return False
    was_gone = change.before.link.state is LinkState.GONE
    return not was_gone and change.after.link.state is LinkState.GONE


def attempt_is_known(session: Session, attempt_id: str) -> bool:
    """Whether an attempt is under way or has ended."""
    loading = session.runtime.loading
    under_way = loading is not None and loading.attempt_id == attempt_id
    return under_way or attempt_id in session.runtime.ended_attempts


def has_an_answer(session: Session, event: SessionEvent) -> bool:
    """Whether a session may be told of an event, or has to refuse it."""
    if session.link.state is LinkState.GONE:
        return isinstance(event, ConnectionLost | DeadlinePassed | ServerRestarted)
    if isinstance(event, Matched):
        waits = session.place.state is PlaceState.WAITING
        here = session.link.state is LinkState.CONNECTED
        return waits and here and session.runtime.state is not RuntimeState.FAILED
    if isinstance(event, SceneEntered):
        return session.place.state is PlaceState.LOBBY
    if isinstance(event, StageReached | LoadingEnded):
        return attempt_is_known(session, event.attempt_id)
    return True


def check_answer(change: Change) -> None:
    """Hold that what cannot happen is refused and nothing else, and that who is gone is pruned.

    Raises:
        AssertionError: it is not so.
    """
    before, event, step = change.before, change.event, change.step
    assert (step is not None) == has_an_answer(before, event), "refused, or not"
    pruned = step is not None and step.session is None
    over = before.link.state is LinkState.GONE and (before.link.deadline or 0.0) <= change.now
    meant = isinstance(event, DeadlinePassed) and is_current(before, event)
    assert pruned == (over and meant), "pruned, or not"


def is_current(session: Session, event: DeadlinePassed) -> bool:
    """Whether an event speaks of the deadline that the session has now."""
    return (event.deadline, event.epoch) == (session.deadline, session.epoch)
