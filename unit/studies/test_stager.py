"""The stager leads a session through the scenes, one way, and never twice through the same door."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import StudyError
from app.studies import End, Game, Scene, Stager, StagerState, Study, Text


def scene(kind: str, scene_id: str) -> Scene:
    """A scene of that kind."""
    if kind == "game":
        return Game(scene_id=scene_id, title="G", environment="g.py")
    return Text(scene_id=scene_id, title="T", markdown="")


def study_of(kinds: list[str]) -> Study:
    """A study of these kinds of scenes, s0, s1, ..., and an end."""
    scenes = [scene(kind, f"s{index}") for index, kind in enumerate(kinds)]
    return Study(
        study_id="s", title="S", scenes=[*scenes, End(scene_id="end", title="E", markdown="")]
    )


kinds = st.lists(st.sampled_from(["text", "game"]), max_size=6)


@given(kinds)
def test_scenes_come_in_the_order_of_the_study(order: list[str]) -> None:
    """Who completes and leaves every scene sees each once, in order, and stays at the last."""
    study = study_of(order)
    stager = Stager(study)
    state = stager.start()
    seen = [stager.scene(state)]
    for _ in order:
        state = stager.complete(state)
        state = stager.advance(state, leaving=state.scene_id)
        seen.append(stager.scene(state))
    assert seen == list(study.scenes)
    assert stager.advance(state, leaving=state.scene_id) == state


@given(kinds, st.lists(st.sampled_from(["s0", "s1", "s2", "s3", "end", "elsewhere"])))
def test_advance_is_idempotent(order: list[str], leaving: list[str]) -> None:
    """A scene that is left twice is left once: saying it again changes nothing."""
    stager = Stager(study_of(order))
    state = stager.start()
    for scene_id in leaving:
        once = stager.advance(state, scene_id, leave_unplayed=True)
        assert stager.advance(once, scene_id, leave_unplayed=True) == once
        assert scene_id == state.scene_id or once == state
        state = once


def test_a_game_must_be_played() -> None:
    """An unplayed game is left only when the caller allows it; a played one always."""
    stager = Stager(study_of(["game", "text"]))
    state = stager.start()
    assert stager.advance(state, "s0") == state
    assert stager.advance(state, "s0", leave_unplayed=True) == StagerState("s1")
    assert stager.advance(stager.complete(state), "s0") == StagerState("s1")


def test_the_next_scene_is_not_done() -> None:
    """`done` belongs to one scene and does not follow the session to the next."""
    stager = Stager(study_of(["text", "game"]))
    state = stager.advance(stager.complete(stager.start()), "s0")
    assert state == StagerState("s1", done=False)


def test_a_scene_that_is_no_more_is_refused() -> None:
    """A state kept from before the study was changed is refused, by name."""
    stager = Stager(study_of([]))
    for use in (stager.scene, stager.complete, lambda state: stager.advance(state, "gone")):
        with pytest.raises(StudyError, match="no scene 'gone'"):
            use(StagerState("gone"))
