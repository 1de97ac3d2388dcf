"""Every state that a session can come to, found by trying everything in each.

A session has times, counters and names without end, so states are told apart by what a decision
can depend on, and each is stood for by one session, its representative:

- *Times* are known by how far they are from the present, in ticks, and no further than due: a
  deadline is ahead by so much, or it has come. What is ahead only matters by comparison with the
  present and with `Policy`'s durations, which are a few ticks long here. Two deadlines of a load
  that both have come keep their order, because `reach_stage` compares them with each other.
- *Starts* (`since`, `queued_at`) are in the past; they are carried along and never compared. What
  is derived from one, the end of the loading budget, is kept as a time.
- *Epochs, pages, attempts and games* are only ever compared for equality, so the role is enough:
  the present one, an earlier one, one never heard of. Every state is taken to have an ended
  attempt, which makes more possible and nothing impossible.
- What a session that is `gone` was doing does not matter: only its link hears anything.

What a representative forgets must make no difference to what can follow; `test_every_state.py`
holds that against sessions with real times and long histories.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

from app.sessions import MACHINES, LinkState, Policy, Session, Step, open_session
from app.sessions.models import Allowance
from app.sessions.table import Rule
from app.studies import StagerState
from unit.fakes.session_choices import TICK_S, Change, choices, try_choice

NOW = 1_000_000.0
"""The present of every representative, UTC seconds."""

EARLIER = NOW - 8.0
"""When everything began that a representative is in the middle of."""

SCENE = StagerState("match")

MOST_STATES = 10_000
"""More than there are: a search that finds so many has met something that grows without end."""

State = tuple[Hashable, ...]
"""What a decision can depend on."""

PRUNED: State = ("pruned",)
"""The end: there is no session any more."""


@dataclass(slots=True)
class Graph:
    """What a search has found.

    Attributes:
        policy: the times it was made with.
        states: each state and its representative.
        edges: (state, name of the choice, state that follows).
        refused: how many times an event was refused.
        followed: the (machine, state, event, next state) that the tables were asked for.
        came_by: the state and choice by which a state was first reached.
    """

    policy: Policy
    states: dict[State, Session] = field(default_factory=dict)
    edges: list[tuple[State, str, State]] = field(default_factory=list)
    refused: int = 0
    followed: set[tuple[str, str, type, str | None]] = field(default_factory=set)
    came_by: dict[State, tuple[State, str]] = field(default_factory=dict)

    def way_to(self, state: State) -> list[str]:
        """A shortest way from a new session to this state."""
        way: list[str] = []
        while state in self.came_by:
            state, choice = self.came_by[state]
            way.insert(0, choice)
        return way


def ahead(deadline: float | None, now: float) -> float | None:
    """How far a deadline is ahead; 0 when it has come."""
    return None if deadline is None else max(0.0, deadline - now)


def load_times(session: Session, now: float) -> tuple[float, float]:
    """How far the deadline of the load under way and the end of the budget are ahead."""
    runtime = session.runtime
    assert runtime.loading is not None
    deadline = runtime.loading.deadline - now
    budget = runtime.since + runtime.allowance.budget_s - now
    if budget > 0.0:
        return max(0.0, deadline), budget
    return (-TICK_S, 0.0) if deadline < budget else (0.0, 0.0)


def state_of(session: Session | None, now: float) -> State:
    """The state of a session; None: it was pruned."""
    if session is None:
        return PRUNED
    link, runtime, place = session.link, session.runtime, session.place
    left = ahead(link.deadline, now)
    if link.state is LinkState.GONE:
        return (link.state, left, link.why, runtime.state, place.state)
    allowance, loading = runtime.allowance, runtime.loading
    of_runtime: State = (runtime.state, allowance.page_s, allowance.budget_s, allowance.stages)
    if loading is not None:
        of_load = (loading.stage, loading.overdue, *load_times(session, now))
        of_runtime = (runtime.state, allowance.stages, *of_load)
    return (link.state, left, *of_runtime, place.state, ahead(place.deadline, now))


def representative(session: Session, now: float) -> Session:
    """The session that stands for all in the same state, at NOW."""
    link, runtime, place = session.link, session.runtime, session.place

    def moved(deadline: float | None) -> float | None:
        left = ahead(deadline, now)
        return None if left is None else NOW + left

    loading, allowance = runtime.loading, runtime.allowance
    if loading is not None:
        deadline, budget = load_times(session, now)
        loading = replace(loading, attempt_id="present", deadline=NOW + deadline)
        # While something loads, what is left of the page's clock is in the deadline alone.
        left_s = NOW + budget - EARLIER
        allowance = Allowance(page_s=0.0, budget_s=left_s, stages=allowance.stages)
    return replace(
        session,
        epoch=2,
        page_id="page",
        replaced_pages=(),
        scene=SCENE,
        link=replace(link, since=EARLIER, deadline=moved(link.deadline)),
        runtime=replace(
            runtime,
            since=EARLIER,
            loading=loading,
            allowance=allowance,
            ended_attempts=("ended",),
        ),
        place=replace(
            place,
            since=EARLIER,
            deadline=moved(place.deadline),
            game_id=None if place.game_id is None else "game",
            queued_at=None if place.queued_at is None else EARLIER,
        ),
    )


def new_session(policy: Policy, now: float = NOW) -> Session:
    """A session that has just begun."""
    step = open_session(
        session_id="s_1",
        study="study",
        participant=None,
        page_id="page",
        scene=SCENE,
        runtime=None,
        now=now,
        policy=policy,
    )
    assert step.session is not None
    return step.session


@contextmanager
def watched_tables(followed: set[tuple[str, str, type, str | None]]) -> Iterator[None]:
    """Note each entry of the three tables that is followed, and the state that it leads to."""
    kept = [(cast("dict[tuple[str, type], Rule]", machine.table), machine) for machine in MACHINES]
    originals = [dict(table) for table, _ in kept]
    for table, machine in kept:
        for (state, event), rule in list(table.items()):
            table[state, event] = _watched(machine.name, state, machine.state_of, rule, followed)
    try:
        yield
    finally:
        for (table, _), original in zip(kept, originals, strict=True):
            table.update(original)


def _watched(
    machine: str,
    state: str,
    machine_state: Callable[[Session], str],
    rule: Rule,
    followed: set[tuple[str, str, type, str | None]],
) -> Rule:
    def apply(session: Session, event: Any, now: float, policy: Policy) -> Step:
        step = rule.apply(session, event, now, policy)
        to = None if step.session is None else machine_state(step.session)
        followed.add((machine, state, type(event), to))
        return step

    return Rule(apply, rule.to)


def search(policy: Policy, waiting_s: float, check: Callable[[Change], None]) -> Graph:
    """Try everything in every state, nearest states first, and `check` each change.

    Raises:
        AssertionError: a check failed; the message says how the state was reached.
    """
    graph = Graph(policy)
    first = new_session(policy)
    start = state_of(first, NOW)
    graph.states[start] = representative(first, NOW)
    todo = deque([start])
    with watched_tables(graph.followed):
        while todo:
            assert len(graph.states) < MOST_STATES, f"no end of states, as {todo[-1]}"
            state = todo.popleft()
            session = graph.states[state]
            for choice in choices(session, NOW, waiting_s):
                step, at = try_choice(session, choice, NOW, policy)
                if choice.event is not None:
                    try:
                        check(Change(session, choice.event, at, policy, step))
                    except AssertionError as error:
                        way = ", ".join([*graph.way_to(state), choice.name])
                        raise AssertionError(f"{error}\nwhen {way}\nfrom {session}") from error
                if step is None:
                    graph.refused += 1
                    continue
                after = step.session
                same = after is session and at == NOW
                following = state if same else state_of(after, at)
                graph.edges.append((state, choice.name, following))
                if following not in graph.states and after is not None:
                    graph.states[following] = representative(after, at)
                    graph.came_by[following] = (state, choice.name)
                    todo.append(following)
    return graph
