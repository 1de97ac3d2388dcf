"""How a transition table is followed."""

from dataclasses import replace

import pytest

from app.errors import IllegalTransition
from app.sessions import MACHINES, LinkState, Policy, Session, Step
from app.sessions.events import LeaveRequested
from app.sessions.table import Machine, Rule, stay
from unit.fakes.sessions import NOW, POLICY, away, opened


def _lose(session: Session, event: object, now: float, policy: Policy) -> Step:
    return Step(replace(session, link=replace(session.link, state=LinkState.AWAY)))


def machine(rule: Rule) -> Machine:
    """A machine with one entry: what `LeaveRequested` does to a connected session."""
    return Machine(
        name="link",
        table={(LinkState.CONNECTED, LeaveRequested): rule},
        state_of=lambda session: session.link.state,
    )


def test_an_entry_decides() -> None:
    """The step is what the table's entry for this state and event makes of the session."""
    step = machine(Rule(_lose, to=(LinkState.AWAY,))).follow(
        opened(), LeaveRequested(), NOW, POLICY
    )
    assert step.session is not None
    assert step.session.link.state is LinkState.AWAY


def test_a_missing_entry_raises() -> None:
    """Where the table has nothing, the transition is illegal, and the error says which."""
    with pytest.raises(IllegalTransition) as raised:
        machine(Rule(stay, to=(LinkState.CONNECTED,))).follow(away(), LeaveRequested(), NOW, POLICY)
    error = raised.value
    assert (error.machine, error.state, error.event) == ("link", "away", "LeaveRequested")


def test_a_rule_may_only_lead_where_it_says() -> None:
    """A rule that led to a state which its entry does not name would not be in the diagram."""
    with pytest.raises(IllegalTransition, match="connected \\(to away\\)"):
        machine(Rule(_lose, to=(LinkState.GONE,))).follow(opened(), LeaveRequested(), NOW, POLICY)


def test_stay_changes_nothing() -> None:
    """An event that concerns another machine leaves the session as it is."""
    session = opened()
    assert stay(session, LeaveRequested(), NOW, POLICY) == Step(session)


@pytest.mark.parametrize("one", MACHINES, ids=lambda one: str(one.name))
def test_every_state_of_a_table_can_be_reached(one: Machine) -> None:
    """No machine has a state that nothing leads to, but the one it begins in."""
    begins = {"connected", "cold", "lobby"}
    named = {state for state, _ in one.table}
    reached = {
        target for (state, _), rule in one.table.items() for target in rule.to if target != state
    }
    assert named - reached <= begins
