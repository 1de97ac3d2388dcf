"""How a transition table is written down and followed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.errors import IllegalTransition
from app.sessions.effects import Step
from app.sessions.models import Policy, Session

Apply = Callable[[Session, Any, float, Policy], Step]
"""(session, event, now, policy) -> Step."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of a table: what decides, and every state it may lead to."""

    apply: Apply
    to: tuple[str, ...]


Table = Mapping[tuple[str, type], Rule]
"""(state, type of event) -> rule. A missing entry is an illegal transition."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A named table, and where its state stands in a session."""

    name: str
    table: Table
    state_of: Callable[[Session], str]

    def follow(self, session: Session, event: object, now: float, policy: Policy) -> Step:
        """The step that the table has for this event.

        Raises:
            IllegalTransition: the table has no entry; nothing was changed.
        """
        state = self.state_of(session)
        rule = self.table.get((state, type(event)))
        if rule is None:
            raise IllegalTransition(self.name, state, type(event).__name__)
        step = rule.apply(session, event, now, policy)
        after = step.session
        if after is None or after is session:
            return step
        if self.state_of(after) not in rule.to:
            raise IllegalTransition(
                self.name, f"{state} (to {self.state_of(after)})", type(event).__name__
            )
        return step


def stay(session: Session, event: object, now: float, policy: Policy) -> Step:
    """The rule of an event that changes nothing here."""
    return Step(session)
