"""The checks that the study models share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import StudyError
from app.studies.checks import as_tuple_of, first_repeated, require_identifier, require_whole


@given(st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True))
def test_identifiers_are_accepted(name: str) -> None:
    """One to 64 letters, digits, underscores and hyphens make an identifier."""
    require_identifier(name, "scene_id")


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "a\n", "x" * 65, 7, None])
def test_other_names_are_refused(name: object) -> None:
    """What is not safe in an address is no identifier, and the refusal names the field."""
    with pytest.raises(StudyError, match=r"scene_id is .*use 1 to 64"):
        require_identifier(name, "scene_id")


@pytest.mark.parametrize("value", [0, 9, 2.0, True, "3", None])
def test_whole_numbers_have_bounds(value: object) -> None:
    """Only an integer within the bounds is a whole number."""
    with pytest.raises(StudyError, match="from 1 to 8"):
        require_whole(value, "players", 1, 8)


def test_a_string_is_not_a_list_of_strings() -> None:
    """keys="KeyA" would otherwise mean the keys K, e, y and A."""
    with pytest.raises(StudyError, match="list or tuple of str"):
        as_tuple_of(str, "KeyA", "keys")


@given(st.lists(st.integers(0, 5)))
def test_a_repeated_value_is_found(values: list[int]) -> None:
    """A repeated value is reported exactly when there is one."""
    repeated = first_repeated(values)
    assert (repeated is None) == (len(set(values)) == len(values))
    assert repeated is None or values.count(repeated) > 1
