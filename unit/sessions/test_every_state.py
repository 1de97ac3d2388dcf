"""Every state a session can come to, under every order of events, keeps the rules of the design.

`unit/fakes/every_state.py` says how the states are found and told apart; docs/states.md says what
that covers, what it leaves out, and how many there are.
"""

import random
import sys
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from app.sessions import (
    MACHINES,
    LinkState,
    PlaceState,
    Policy,
    RuntimeState,
    Session,
    WhyGone,
)
from unit.fakes.every_state import (
    NOW,
    PRUNED,
    Graph,
    State,
    new_session,
    search,
    state_of,
)
from unit.fakes.loading_rules import LOADING_RULES
from unit.fakes.place_rules import PLACE_RULES
from unit.fakes.session_changes import Rules
from unit.fakes.session_choices import TICK_S, choices, try_choice
from unit.fakes.session_rules import SESSION_RULES, check_session

Situation = tuple[Session, float]
"""A session and the present."""

RULES = Rules([*SESSION_RULES.checks, *LOADING_RULES.checks, *PLACE_RULES.checks])
"""Everything that a change is held against."""

DOCUMENT = (Path(__file__).parents[2] / "docs" / "states.md").read_text(encoding="utf-8")

WAITING_S = 1 * TICK_S

GRACE = Policy(
    loading_timeout_s=2 * TICK_S,
    loading_budget_s=3 * TICK_S,
    reconnect_grace_s=1.5 * TICK_S,
    gone_kept_s=1 * TICK_S,
)
"""The fewest ticks in which the rest of a load can be more or less than the reconnect grace, a
stage can extend a load, and the budget can cut that short."""

NO_GRACE = replace(
    GRACE, loading_timeout_s=TICK_S, loading_budget_s=2 * TICK_S, loading_grace=False
)
"""The control run. No loading grace is ever given, so its length matters less."""

POLICIES = {"on": GRACE, "off": NO_GRACE}


@cache
def found(name: str) -> Graph:
    """What the search finds with a policy, each change held against the rules on the way."""
    return search(POLICIES[name], WAITING_S, RULES.checker())


def steps_from(graph: Graph, choice: str) -> dict[State, State]:
    """Where one choice leads from each state in which it is allowed."""
    return {state: following for state, name, following in graph.edges if name == choice}


def outline(session: Session | None, now: float) -> tuple[Hashable, ...]:
    """The states of a session's three machines, and which of its deadlines have come."""
    if session is None:
        return PRUNED
    link, loading, place = session.link, session.runtime.loading, session.place
    if link.state is LinkState.GONE:
        return (link.state, link.why, session.runtime.state, place.state)
    return (
        link.state,
        link.deadline is not None and link.deadline <= now,
        session.runtime.state,
        loading and (loading.stage, loading.overdue, loading.deadline <= now),
        place.state,
        place.deadline and place.deadline <= now,
    )


@pytest.mark.parametrize("name", POLICIES)
def test_every_change_keeps_the_rules(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    """Nothing that can happen in any state breaks a rule; the document says how many there are.

    `pytest -s` shows the numbers, and a report has them as properties.
    """
    graph = found(name)
    states, transitions = len(graph.states) + 1, len(graph.edges)
    sys.stdout.write(f"\nloading grace {name}: {states:,} states, {transitions:,} transitions\n")
    record_property("states", states)
    record_property("transitions", transitions)
    row = f"| {name} | {states:,} | {transitions:,} | {graph.refused:,} |"
    assert row in DOCUMENT, f"docs/states.md lacks {row}"


@pytest.mark.parametrize("name", POLICIES)
def test_every_state_keeps_the_rules(name: str) -> None:
    """In every state the parts of a session fit together, and no deadline is too far ahead."""
    graph = found(name)
    for state, session in graph.states.items():
        try:
            check_session(session, NOW, graph.policy)
        except AssertionError as error:
            raise AssertionError(f"{error}\nafter {graph.way_to(state)}") from error


def test_every_combination_is_reached() -> None:
    """Link, runtime and place do not exclude each other, but for who is gone, who has no seat."""
    alive, gone = set(), set()
    for session in found("on").states.values():
        runtime, place = session.runtime.state, session.place.state
        if session.link.state is LinkState.GONE:
            gone.add((runtime, place, session.link.why))
        else:
            alive.add((session.link.state, runtime, place))
    links = (LinkState.CONNECTED, LinkState.AWAY)
    places = (PlaceState.LOBBY, PlaceState.WAITING, PlaceState.PLAYING)
    assert alive == set(product(links, RuntimeState, places))
    ends = [(PlaceState.LOBBY, WhyGone.DEADLINE_PASSED), (PlaceState.LOBBY, WhyGone.LEFT)]
    ends.append((PlaceState.FINISHED, WhyGone.FINISHED))
    assert gone == {(runtime, *end) for runtime in RuntimeState for end in ends}


@pytest.mark.parametrize("name", POLICIES)
def test_grace_ends_when_nothing_but_time_passes(name: str) -> None:
    """Rule 3: who is away and does not come back is gone in time, and pruned at last.

    Whoever stays connected stays: time alone ends no session of somebody who is there. Either way
    the sweeper comes to an end of its work. (That an end has one cleanup, each change is held to.)
    """
    graph = found(name)
    grace_s = max(graph.policy.loading_timeout_s, graph.policy.reconnect_grace_s)
    ticks = round((grace_s + graph.policy.gone_kept_s) / TICK_S) + 1
    swept = steps_from(graph, "the deadline is swept")
    waited = steps_from(graph, "time passes")
    for start in graph.states:
        state, links, ticks_left = start, [start[0]], ticks
        while state != PRUNED:
            following = swept.get(state, state)
            if following == state:
                following = waited[state]
                ticks_left -= 1
            if following == state:
                break
            state = following
            links.append(state[0])
            assert ticks_left >= 0, f"still there, after {graph.way_to(start)}"
        if start[0] is LinkState.CONNECTED:
            assert set(links) == {LinkState.CONNECTED}, graph.way_to(start)
        else:
            assert state == PRUNED, f"never ends, after {graph.way_to(start)}"


@pytest.mark.parametrize("name", POLICIES)
def test_no_order_of_events_stretches_the_loading_grace(name: str) -> None:
    """Rule 4: between two successes the loading grace lasts no longer than the budget, in all.

    `used` is the longest that any way to a state, around any cycle, can have spent in loading grace
    since the last success; it is added up from the ticks and does not ask the session.
    """
    graph = found(name)
    following: dict[State, set[tuple[float, State]]] = {state: set() for state in graph.states}
    left: dict[State, float] = {}
    for state, session in graph.states.items():
        loading = session.runtime.loading
        over = loading is None or session.link.state is LinkState.GONE
        left[state] = 0.0 if over or loading is None else max(0.0, loading.deadline - NOW)
    for state, choice, after in graph.edges:
        succeeded = after != PRUNED and graph.states[after].runtime.state is RuntimeState.READY
        if after != PRUNED and not succeeded:
            spent = min(TICK_S, left[state]) if choice == "time passes" else 0.0
            following[state].add((spent, after))
    used = dict.fromkeys(graph.states, 0.0)
    todo = list(graph.states)
    while todo:
        state = todo.pop()
        most = used[state] + left[state]
        assert most <= graph.policy.loading_budget_s, f"stretched, after {graph.way_to(state)}"
        for spent, after in following[state]:
            if used[state] + spent > used[after]:
                used[after] = used[state] + spent
                todo.append(after)
    assert max(used.values()) == graph.policy.loading_budget_s, "the budget is never used up"


def test_the_tables_have_every_transition_and_no_other() -> None:
    """What the tables declare is what happens, so the diagrams in ARCHITECTURE.md are complete.

    (`unit/sessions/test_diagram.py` holds the diagrams against the tables.)
    """
    declared = {
        (machine.name, state, event, to)
        for machine in MACHINES
        for (state, event), entry in machine.table.items()
        for to in entry.to or (None,)
    }
    followed = found("on").followed | found("off").followed
    assert followed == declared


def walk(policy: Policy, waits: list[float], waiting_s: float, seed: int) -> Iterator[Situation]:
    """A session with a long history, at each step of a way of random choices and times."""
    chance = random.Random(seed)
    now = 1_790_000_000.0
    session = new_session(policy, now)
    for _ in range(60):
        now += chance.choice(waits)
        if session.deadline is not None and chance.random() < 0.3:
            # On the deadline, or a moment to either side of it.
            now = max(now, session.deadline + chance.choice([min(waits), 0.0, -min(waits)]))
        yield session, now
        choice = chance.choice(list(choices(session, now, waiting_s)))
        step, at = try_choice(session, choice, now, policy)
        if step is not None and (step.session is None or step.session.link.state is LinkState.GONE):
            yield session, now
            return
        if step is not None and step.session is not None:
            session, now = step.session, at


def what_follows(
    session: Session, now: float, policy: Policy
) -> dict[str, tuple[State, list[str]] | None]:
    """For each choice: the state that follows and the names of the effects; None if refused."""
    outcome: dict[str, tuple[State, list[str]] | None] = {}
    for choice in choices(session, now, WAITING_S):
        step, at = try_choice(session, choice, now, policy)
        outcome[choice.name] = None
        if step is not None:
            effects = [getattr(one, "event", type(one).__name__) for one in step.effects]
            outcome[choice.name] = (state_of(step.session, at), effects)
    return outcome


@pytest.mark.parametrize("name", POLICIES)
def test_what_a_state_forgets_makes_no_difference(name: str) -> None:
    """A session and the representative of its state have the same successors, under every choice.

    So the states stand for all sessions with times in whole ticks: what follows depends on nothing
    that telling them apart leaves out. Sampled at, just after and long after the deadlines.
    """
    graph = found(name)
    seen = set()
    for seed in range(25):
        for session, now in walk(graph.policy, [0.0, TICK_S, TICK_S, 50 * TICK_S], WAITING_S, seed):
            state = state_of(session, now)
            assert state in graph.states, f"not found: {session}"
            if state in seen:
                continue
            seen.add(state)
            expected = what_follows(graph.states[state], NOW, graph.policy)
            real = what_follows(session, now, graph.policy)
            assert real.items() <= expected.items(), session
    assert len(seen) > 50, "too few samples to say so"


@pytest.mark.parametrize(
    ("name", "policy"),
    [("on", Policy()), ("off", Policy(loading_grace=False))],
    ids=["on", "off"],
)
def test_real_times_add_nothing(name: str, policy: Policy) -> None:
    """With the default times, at any instants, only that happens which the search has found.

    It is compared in outline: the states of the machines, and which deadlines have come.
    """
    graph = found(name)
    outlines = {state: outline(session, NOW) for state, session in graph.states.items()}
    outlines[PRUNED] = PRUNED
    known = {(outlines[before], choice, outlines[after]) for before, choice, after in graph.edges}
    reached = set(outlines.values())
    for seed in range(40):
        for session, now in walk(policy, [0.0, 0.01, 1.0, 7.3, 31.9, 200.0], 600.0, seed):
            before = outline(session, now)
            assert before in reached, session
            for choice in choices(session, now, 600.0):
                step, at = try_choice(session, choice, now, policy)
                if step is not None and choice.event is not None:
                    change = (before, choice.name, outline(step.session, at))
                    assert change in known, session


@pytest.mark.parametrize(("number", "sentence"), RULES.sentences)
def test_the_document_says_what_is_checked(number: int, sentence: str) -> None:
    """docs/states.md lists each check with its rule."""
    assert f"| {number} | {sentence} |" in DOCUMENT
