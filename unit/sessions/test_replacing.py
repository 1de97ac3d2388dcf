"""A changed copy is the one that `dataclasses.replace` makes."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import pytest

from app.sessions.replacing import replace
from unit.fakes.sessions import loading, opened, playing


@pytest.mark.parametrize(
    "session", [opened(), loading(), playing()], ids=["opened", "loading", "playing"]
)
@pytest.mark.parametrize("part", [None, "link", "runtime", "place"])
def test_it_is_what_dataclasses_make(session: Any, part: str | None) -> None:
    """For every field of every record; the original stays as it is."""
    record = session if part is None else getattr(session, part)
    before = dataclasses.replace(record)
    for field in dataclasses.fields(record):
        changes: dict[str, Any] = {field.name: "changed"}
        assert replace(record, **changes) == dataclasses.replace(record, **changes)
    assert record == before == replace(record)


def test_a_copy_is_frozen_too() -> None:
    """Nobody changes a record by way of its copy."""
    copy: Any = replace(opened(), epoch=2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        copy.epoch = 3


def test_there_is_no_such_field() -> None:
    """As with `dataclasses.replace`; type checkers see it before."""
    changes: dict[str, Any] = {"epcoh": 2}
    with pytest.raises(TypeError, match="epcoh"):
        replace(opened(), **changes)


def test_a_class_that_does_more_is_refused() -> None:
    """Its constructor would not be run."""

    @dataclass(frozen=True, slots=True)
    class Positive:
        number: int

        def __post_init__(self) -> None:
            assert self.number > 0

    with pytest.raises(TypeError, match="Positive is more than its fields"):
        replace(Positive(1), number=-1)
