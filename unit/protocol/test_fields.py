"""The kinds of values that payloads are made of."""

import pytest
from pydantic import TypeAdapter, ValidationError

from app.protocol.fields import Count, Identifier, Milliseconds, PageMadeId, Payload


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Identifier, ["a", "A-z_9", "x" * 64], ["", "x" * 65, "a b", "ä", "a\n", "../a", "a.b"]),
        (PageMadeId, ["a" * 8, "x" * 64], ["a" * 7, "x" * 65, "aaaa aaaa", "a" * 8 + "\n"]),
        (Milliseconds, [0, 0.5, 86_400_000], [-1, 86_400_000.5, float("nan"), float("inf")]),
        (Count, [0, 10**9], [-1, 10**9 + 1]),
    ],
)
def test_each_has_its_bounds(kind: type, good: list[object], bad: list[object]) -> None:
    """The greatest that is allowed is accepted, and what is next to it is refused."""
    adapter: TypeAdapter[object] = TypeAdapter(kind)
    for value in good:
        assert adapter.validate_python(value, strict=True) == value
    for value in bad:
        with pytest.raises(ValidationError):
            adapter.validate_python(value, strict=True)


def test_a_payload_without_fields_takes_any() -> None:
    """Fields of newer pages are passed over everywhere."""
    assert Payload.model_validate({"of_tomorrow": 1}).model_dump() == {}
