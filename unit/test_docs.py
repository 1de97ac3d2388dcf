"""What is declared in the code is named in the documents."""

import ast
import re
from enum import StrEnum
from pathlib import Path

import pytest

import app
from app.games import GameState
from app.protocol import LOADING_STAGES, ClientEvent, EndReason, ErrorCode, ServerEvent
from app.sessions import GraceKind, LinkState, LossCause, PlaceState, RuntimeState, WhyGone
from app.settings import EXAMPLE_STUDY, Settings

ROOT = Path(__file__).parents[1]
APP = Path(app.__file__).parent

DOCUMENTS = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXT = "\n".join(file.read_text(encoding="utf-8") for file in DOCUMENTS if file.is_file())

HAPPENED = ("started", "paused", "resumed", "ended")
"""What `GameStep.happened` holds; the log puts `game_` before it."""


def strings(node: ast.AST) -> list[str]:
    """The names that an argument can be: a string, or one with what happened to a game in it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        prefix = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        return [f"{prefix}{what}" for what in HAPPENED]
    return []


def log_events() -> set[str]:
    """The name of every entry that the server appends to the log."""
    place = {"Record": 0, "LogEntry": 2, "_log": 1}
    names: set[str] = set()
    for file in APP.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func).rpartition(".")[2]
                if len(node.args) > place.get(called, len(node.args)):
                    names.update(strings(node.args[place[called]]))
    return names


LOG_EVENTS = sorted(log_events())


def named(name: str) -> bool:
    """Whether a name stands in the documents, as code."""
    return re.search(rf"[`\"|\s(]{re.escape(name)}[`\"|\s)=,:.]", TEXT) is not None


def test_the_log_events_are_found() -> None:
    """The search finds what the design promises, so that it cannot come back empty-handed."""
    promised = {
        "session_opened", "loading_started", "loading_completed", "loading_failed",
        "loading_overdue", "link_lost", "link_restored", "session_gone", "cleanup_done",
        "partner_told", "game_matched", "game_started", "game_ended", "desync",
    }  # fmt: skip
    assert promised <= set(LOG_EVENTS)


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_the_documents_are_there(file: Path) -> None:
    """Each says something."""
    assert file.read_text(encoding="utf-8").startswith("#")


@pytest.mark.parametrize("name", LOG_EVENTS)
def test_every_log_event_is_named(name: str) -> None:
    """Whoever reads the log can look its words up."""
    assert named(name)


def as_written(default: object) -> str:
    """How the reference writes a default."""
    if isinstance(default, bool):
        return "on" if default else "off"
    if default == EXAMPLE_STUDY:
        return "the shipped example"
    return str(default)


NO_DEFAULT = {"admin_token": "made and printed at start", "pyodide_distribution": "none"}
"""What the reference says of a setting whose default is None."""


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_named(name: str) -> None:
    """In a row of the reference, with its environment variable and its default."""
    default = NO_DEFAULT.get(name) or as_written(Settings.model_fields[name].default)
    assert f"| `{name}` | `GRACE_{name.upper()}` | {default} |" in TEXT


@pytest.mark.parametrize("names", [ClientEvent, ServerEvent, ErrorCode, EndReason])
def test_every_word_of_the_wire_is_named(names: type[StrEnum]) -> None:
    """Events, codes and reasons."""
    assert [one.value for one in names if not named(one.value)] == []


@pytest.mark.parametrize(
    "names", [LinkState, RuntimeState, PlaceState, GameState, GraceKind, LossCause, WhyGone]
)
def test_every_state_is_named(names: type[StrEnum]) -> None:
    """States of sessions and games, kinds of grace, causes of a loss, why a session is gone."""
    assert [one.value for one in names if not named(one.value)] == []


def test_every_stage_is_named() -> None:
    """The stages of a load."""
    assert [stage for stage in LOADING_STAGES if not named(stage)] == []
