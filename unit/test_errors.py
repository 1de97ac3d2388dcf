"""Every error stands in one tree, with its data as attributes."""

import inspect
import re

import pytest

from app import errors
from app.errors import (
    GraceError,
    IllegalTransition,
    RefusedConnection,
    RefusedMessage,
    StudyFileError,
)

ERRORS = {
    name: kind
    for name, kind in vars(errors).items()
    if inspect.isclass(kind) and kind.__module__ == errors.__name__
}


def depth_in_drawing(line: str) -> int:
    """How deep an error stands in the drawing of the module's docstring."""
    return (len(line) - len(line.lstrip("│├└─ "))) // 4


def test_the_drawing_shows_the_tree() -> None:
    """The tree at the head of the module names every error, each under its base."""
    drawn: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        name = re.match(r"[│├└─ ]*(\w+)", line)
        if name and name[1] in ERRORS:
            del path[depth_in_drawing(line) :]
            drawn[name[1]] = path[-1] if path else "Exception"
            path.append(name[1])
    assert drawn == {name: kind.__bases__[0].__name__ for name, kind in ERRORS.items()}


@pytest.mark.parametrize("kind", ERRORS.values(), ids=ERRORS)
def test_every_error_is_ours_and_explained(kind: type[Exception]) -> None:
    """One base class catches them all, and each says what it is for."""
    assert issubclass(kind, GraceError)
    assert kind.__doc__


@pytest.mark.parametrize(
    ("line", "text"), [(7, "study.py:7: Not so."), (None, "study.py: Not so.")]
)
def test_a_fault_of_a_study_says_where(line: int | None, text: str) -> None:
    """File, line and sentence, in the form that editors understand."""
    error = StudyFileError("study.py", line, "Not so.")
    assert str(error) == text
    assert (error.file, error.line, error.sentence) == ("study.py", line, "Not so.")


@pytest.mark.parametrize("kind", [RefusedMessage, RefusedConnection])
def test_a_refusal_carries_what_travels(kind: type[RefusedMessage]) -> None:
    """The code and the sentence are what the page is told."""
    error = kind("out_of_turn", "not now")
    assert (error.code, error.message) == ("out_of_turn", "not now")
    assert str(error) == "out_of_turn: not now"


def test_an_illegal_transition_names_its_table() -> None:
    """Machine, state and event lead to the entry that is missing."""
    error = IllegalTransition("place", "lobby", "Matched")
    assert (error.machine, error.state, error.event) == ("place", "lobby", "Matched")
    assert str(error) == "place has no transition from lobby on Matched"
