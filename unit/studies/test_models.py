"""The models of a study: what they accept, and the sentences with which they refuse."""

import dataclasses
from typing import Any

import pytest

from app.errors import StudyError
from app.studies import Control, End, Game, Scene, Study, Text

TEXT = Text(scene_id="welcome", title="Welcome", markdown="Hello.")
END = End(scene_id="thanks", title="Thanks", markdown="Goodbye.")
LEFT = Control(label="Left", keys=["ArrowLeft", "KeyA"], value=1)
RIGHT = Control(label="Right", keys=["ArrowRight"], value=2)


def game(**fields: Any) -> Game:
    """A game scene that is fine, apart from `fields`."""
    fine: dict[str, Any] = {"scene_id": "match", "title": "Match", "environment": "game.py"}
    return Game(**(fine | fields))


def test_a_study_of_all_kinds_is_accepted() -> None:
    """A study may have texts and games in any order, and an end as its last scene."""
    study = Study(study_id="s", title="S", scenes=[game(), TEXT, END])
    assert [scene.scene_id for scene in study.scenes] == ["match", "welcome", "thanks"]


def test_models_are_values() -> None:
    """Models made alike are equal, hashable, and cannot be changed."""
    assert game(controls=[LEFT]) == game(controls=(LEFT,))
    assert hash(game()) == hash(game())
    with pytest.raises(dataclasses.FrozenInstanceError):
        TEXT.title = "Other"  # type: ignore[misc]


def test_lists_and_dicts_are_copied() -> None:
    """Changing the list or dict that was passed in changes nothing in the study."""
    config = {"sizes": [1, 2]}
    scenes: list[Scene] = [TEXT]
    scene = game(config=config)
    study = Study(study_id="s", title="S", scenes=scenes)
    config["sizes"].append(3)
    scenes.append(END)
    assert scene.config == {"sizes": [1, 2]}
    assert study.scenes == (TEXT,)


@pytest.mark.parametrize(
    ("scenes", "sentence"),
    [
        ([], "has no scenes"),
        ([TEXT, TEXT], "Two scenes have the scene_id 'welcome'"),
        ([END, TEXT], "End 'thanks' is not the last scene"),
        ([TEXT, "thanks"], "must be a list of Text, Game and End"),
        (TEXT, "must be a list of Text, Game and End"),
    ],
)
def test_an_ill_formed_study_is_refused(scenes: Any, sentence: str) -> None:
    """A study has scenes, each with an id of its own, and an end only at its end."""
    with pytest.raises(StudyError, match=sentence):
        Study(study_id="s", title="S", scenes=scenes)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"scene_id": "a b"}, "Game: scene_id is 'a b'"),
        ({"title": " "}, "Game 'match': title is empty"),
        ({"markdown": None}, "markdown is None: write it as a string"),
        ({"environment": "/etc/game.py"}, "relative to the study file"),
        ({"environment": "../game.py"}, r"without '\.\.'"),
        ({"environment": "games/../../game.py"}, r"without '\.\.'"),
        ({"environment": "c:\\game.py"}, r"name a \.py file"),
        ({"environment": "game.txt"}, r"name a \.py file"),
        ({"environment": 5}, r"name a \.py file"),
        ({"players": 1}, "players is 1: use a whole number from 2 to 8"),
        ({"players": 9}, "from 2 to 8"),
        ({"steps_per_s": 0}, "steps_per_s is 0"),
        ({"steps_per_s": 61}, "from 1 to 60"),
        ({"width": 10}, "width is 10"),
        ({"height": 100_000}, "height is 100000"),
        ({"height": 400.5}, "height is 400.5: use a whole number"),
        ({"waiting_timeout_s": 0}, "seconds above 0, or None"),
        ({"waiting_timeout_s": float("inf")}, "seconds above 0, or None"),
        ({"waiting_timeout_s": "60"}, "seconds above 0, or None"),
        ({"on_unstarted": "stop"}, "use 'requeue' or 'continue'"),
        ({"controls": [LEFT, "Right"]}, "controls is .* list or tuple of Control"),
        ({"controls": [LEFT, dataclasses.replace(RIGHT, value=1)]}, "have the value 1"),
        ({"controls": [LEFT, dataclasses.replace(RIGHT, keys=["KeyA"])]}, "'KeyA' is used twice"),
        ({"config": []}, "a dict whose keys are strings"),
        ({"config": {1: 2}}, "a dict whose keys are strings"),
        ({"config": {"speed": float("nan")}}, "cannot be written as JSON"),
        ({"config": {"made_by": object()}}, "cannot be written as JSON"),
    ],
)
def test_an_ill_formed_game_is_refused(fields: dict[str, Any], sentence: str) -> None:
    """A game that could not be played is refused, with what to write instead."""
    with pytest.raises(StudyError, match=sentence):
        game(**fields)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"label": ""}, "A control's label is empty"),
        ({"keys": []}, "give at least one KeyboardEvent.code"),
        ({"keys": [" "]}, "give at least one KeyboardEvent.code"),
        ({"keys": "KeyA"}, "list or tuple of str"),
        ({"value": 0}, "value is 0"),
        ({"value": 3}, "use a power of two"),
        ({"value": 2**31}, "whole number from 1 to 1073741824"),
    ],
)
def test_an_ill_formed_control_is_refused(fields: dict[str, Any], sentence: str) -> None:
    """A control has a label, keys by their codes, and one bit that JavaScript can hold."""
    fine: dict[str, Any] = {"label": "Left", "keys": ["KeyA"], "value": 1}
    with pytest.raises(StudyError, match=sentence):
        Control(**(fine | fields))


def test_ill_formed_pages_are_refused() -> None:
    """A text needs a button to leave it by; texts and ends need a heading."""
    with pytest.raises(StudyError, match="Text 'a': button is empty"):
        Text(scene_id="a", title="A", markdown="", button="")
    with pytest.raises(StudyError, match="End 'z': title is 5"):
        End(scene_id="z", title=5, markdown="")  # type: ignore[arg-type]
