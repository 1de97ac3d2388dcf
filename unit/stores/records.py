"""Sessions and games to be stored, plain ones and every one that Hypothesis can think of."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from app.games import Game, GameState
from app.sessions import (
    GraceKind,
    Link,
    LinkState,
    Place,
    PlaceState,
    Policy,
    Runtime,
    RuntimeState,
    Session,
    WhyGone,
)
from app.sessions.models import Allowance, Loading
from app.studies import StagerState

STUDY = "study"
SCENE = "match"

SIGNED_64_BITS = 2**63 - 1
"""The greatest number that a store has to search by (SQLite, "Datatypes", INTEGER)."""


def a_session(session_id: str = "s_1", *, created_at: float = 0.0, **changes: Any) -> Session:
    """A session that has just been opened, with some fields changed."""
    session = Session(
        id=session_id,
        study=STUDY,
        participant=None,
        created_at=created_at,
        epoch=1,
        page_id="page_0001",
        link=Link(state=LinkState.CONNECTED, since=created_at),
        runtime=Runtime(
            state=RuntimeState.COLD, since=created_at, allowance=Policy().fresh_allowance()
        ),
        place=Place(state=PlaceState.LOBBY, since=created_at),
        scene=StagerState(SCENE),
    )
    return replace(session, **changes)


def away(session: Session, deadline: float) -> Session:
    """The session with its link lost until `deadline`."""
    link = Link(state=LinkState.AWAY, since=0.0, deadline=deadline, grace=GraceKind.RECONNECT)
    return replace(session, link=link)


def waiting(session: Session, queued_at: float) -> Session:
    """The session in the waiting room of its scene since `queued_at`."""
    place = Place(state=PlaceState.WAITING, since=queued_at, queued_at=queued_at)
    return replace(session, place=place)


def a_game(game_id: str = "g_1", *, created_at: float = 0.0, **changes: Any) -> Game:
    """A game of two that has just been matched, with some fields changed."""
    game = Game(
        id=game_id,
        study=STUDY,
        scene_id=SCENE,
        members=("s_1", "s_2"),
        seed=7,
        state=GameState.MATCHED,
        created_at=created_at,
        ready=(None, None),
    )
    return replace(game, **changes)


_times = st.floats(allow_nan=False, allow_infinity=False)
_maybe_times = st.none() | _times
_counts = st.integers(min_value=0, max_value=SIGNED_64_BITS)
_texts = st.text(max_size=20)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | _times | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=8,
)

sessions = st.builds(
    a_session,
    session_id=st.just("s_1"),
    created_at=_times,
    participant=st.none() | _texts,
    epoch=_counts,
    page_id=_texts,
    link=st.builds(
        Link,
        state=st.sampled_from(LinkState),
        since=_times,
        deadline=_maybe_times,
        grace=st.none() | st.sampled_from(GraceKind),
        why=st.none() | st.sampled_from(WhyGone),
    ),
    runtime=st.builds(
        Runtime,
        state=st.sampled_from(RuntimeState),
        since=_times,
        allowance=st.builds(Allowance, page_s=_times, budget_s=_times, stages=_counts),
        loading=st.none()
        | st.builds(
            Loading,
            attempt_id=_texts,
            path=_texts,
            where=_texts,
            stage=_texts,
            deadline=_times,
            overdue=st.booleans(),
        ),
        ended_attempts=st.lists(_texts, max_size=3).map(tuple),
    ),
    place=st.builds(
        Place,
        state=st.sampled_from(PlaceState),
        since=_times,
        game_id=st.none() | _texts,
        queued_at=_maybe_times,
        deadline=_maybe_times,
    ),
    scene=st.builds(StagerState, scene_id=_texts, done=st.booleans()),
    replaced_pages=st.lists(_texts, max_size=3).map(tuple),
)
"""Sessions with any value in every field; they need not make sense."""

games = st.builds(
    a_game,
    game_id=st.just("g_1"),
    created_at=_times,
    members=st.lists(_texts, max_size=3).map(tuple),
    seed=_counts,
    state=st.sampled_from(GameState),
    ready=st.lists(st.none() | _counts, max_size=3).map(tuple),
    deadline=_maybe_times,
    waiting_for=st.none() | _texts,
    ended_at=_maybe_times,
    reason=st.none() | _texts,
    result=st.none() | st.dictionaries(_texts, _json, max_size=3),
    frames=_counts,
)
"""Games with any value in every field."""
