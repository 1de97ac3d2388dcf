"""The checks that the study models share. Each refusal is a sentence that says what to do."""

import re
from collections.abc import Sequence
from typing import TypeVar

from app.errors import StudyError

ItemT = TypeVar("ItemT")

_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def require(condition: bool, sentence: str) -> None:
    """Raise `StudyError(sentence)` unless `condition` holds."""
    if not condition:
        raise StudyError(sentence)


def require_identifier(value: object, name: str) -> None:
    """Refuse anything but 1 to 64 of the characters that are safe in addresses and file names."""
    require(
        isinstance(value, str) and _IDENTIFIER.fullmatch(value) is not None,
        f"{name} is {value!r}: use 1 to 64 of the characters A-Z, a-z, 0-9, _ and -.",
    )


def require_text(value: object, name: str, *, may_be_empty: bool = False) -> None:
    """Refuse what is not a string, and a blank one unless `may_be_empty`."""
    require(isinstance(value, str), f"{name} is {value!r}: write it as a string.")
    require(
        may_be_empty or bool(str(value).strip()),
        f"{name} is empty: write what the participant should read there.",
    )


def require_whole(value: object, name: str, lowest: int, highest: int) -> None:
    """Refuse what is not an integer from `lowest` to `highest`, both included."""
    require(
        isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest,
        f"{name} is {value!r}: use a whole number from {lowest} to {highest}.",
    )


def as_tuple_of(kind: type[ItemT], value: Sequence[ItemT], name: str) -> tuple[ItemT, ...]:
    """Return a list or tuple as a tuple, so that it cannot change; refuse other items in it."""
    require(
        isinstance(value, (list, tuple)) and all(isinstance(item, kind) for item in value),
        f"{name} is {value!r}: write a list or tuple of {kind.__name__} objects.",
    )
    return tuple(value)


def first_repeated(values: Sequence[ItemT]) -> ItemT | None:
    """Return the first value that occurs a second time, or None when all are distinct."""
    seen: set[ItemT] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None
