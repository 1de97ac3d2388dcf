"""What a page may say of itself when it connects."""

import pytest
from pydantic import ValidationError

from app.protocol import ConnectAuth
from unit.protocol.payloads import WHOLE


def test_everything_may_be_absent() -> None:
    """A page that says nothing begins a new session."""
    assert ConnectAuth.model_validate({}).model_dump(exclude_none=True) == {}


def test_all_of_it_is_taken() -> None:
    """What a returning page says arrives as it is; null is as good as absent."""
    assert ConnectAuth.model_validate(WHOLE).model_dump() == WHOLE
    nothing = ConnectAuth.model_validate(dict.fromkeys(WHOLE))
    assert nothing == ConnectAuth.model_validate({})


@pytest.mark.parametrize("state", ["cold", "loading", "ready", "failed"])
def test_every_state_of_the_runtime_can_be_restated(state: str) -> None:
    """A page that is not loading has no attempt to name."""
    auth = ConnectAuth.model_validate({"runtime": {"state": state}})
    assert auth.runtime is not None
    assert auth.runtime.state == state


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page_id", "short"),
        ("page_id", 12345678),
        ("token", ""),
        ("token", "t" * 257),
        ("token", ["t"]),
        ("study", "a study"),
        ("participant", "P" * 129),
        ("participant", 17),
        ("last_frame", -1),
        ("last_frame", True),
        ("last_frame", 1.5),
        ("last_frame", float("nan")),
        ("last_frame", 10**400),
        ("runtime", "loading"),
        ("runtime", {}),
        ("runtime", {"state": "broken"}),
        ("runtime", {"state": "loading", "attempt_id": "short"}),
        ("runtime", {"state": "loading", "stage": "lunch"}),
    ],
)
def test_what_does_not_fit_is_refused(name: str, value: object) -> None:
    """Each field has its type and its bounds here as in every message."""
    with pytest.raises(ValidationError):
        ConnectAuth.model_validate({**WHOLE, name: value})
