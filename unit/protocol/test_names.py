"""The names on the wire are the same in Python and in JavaScript."""

import json
import re
from enum import StrEnum
from pathlib import Path

import pytest

from app.protocol import LOADING_STAGES, ClientEvent, EndReason, ErrorCode, ServerEvent
from app.sessions.grace import STAGES

PROTOCOL_JS = Path(__file__).parents[2] / "static" / "js" / "protocol.js"


def literal(name: str) -> str:
    """What `export const NAME` is set to in `protocol.js`, without comments."""
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", PROTOCOL_JS.read_text(encoding="utf-8"), flags=re.S)
    found = re.search(rf"^export const {name} =(.*?);$", code, flags=re.S | re.M)
    assert found, f"protocol.js has no {name}"
    return found[1]


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("CLIENT_EVENTS", ClientEvent),
        ("SERVER_EVENTS", ServerEvent),
        ("ERROR_CODES", ErrorCode),
        ("END_REASONS", EndReason),
    ],
)
def test_names_are_equal(name: str, names: type[StrEnum]) -> None:
    """Every name stands in both, under the same constant."""
    text = literal(name)
    assert "Object.freeze({" in text
    pairs = re.findall(r"(\w+): (\"[^\"]*\")", text)
    assert {key: json.loads(value) for key, value in pairs} == {
        one.name: one.value for one in names
    }


def test_stages_are_equal() -> None:
    """The page, the wire and the session machines know the same stages in the same order."""
    found = re.search(r"\[.*\]", literal("LOADING_STAGES"))
    assert found
    assert tuple(json.loads(found[0])) == LOADING_STAGES == STAGES


def test_names_are_fit_for_the_wire() -> None:
    """Lower case with underscores, and none of them is one that Socket.IO keeps for itself."""
    reserved = {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "message"}
    for names in (ClientEvent, ServerEvent, ErrorCode, EndReason):
        values = [one.value for one in names]
        assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", value) for value in values)
        assert not reserved & set(values)
