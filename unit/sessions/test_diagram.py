"""The diagrams in the documentation are the tables'."""

from pathlib import Path

import pytest

from app.sessions.diagram import mermaid, session_diagrams

ARCHITECTURE = Path(__file__).resolve().parents[2] / "ARCHITECTURE.md"


@pytest.mark.parametrize("diagram", session_diagrams())
def test_architecture_shows_the_diagram_of_each_machine(diagram: str) -> None:
    """ARCHITECTURE.md has the diagram that the table gives now."""
    assert diagram in ARCHITECTURE.read_text(), "see python -m app.sessions.diagram"


def test_what_changes_no_state_is_not_drawn() -> None:
    """A self-transition has no arrow, and an entry without a target leads to the end."""
    drawn = mermaid("m", {("a", int): ("a", "b"), ("b", str): ()}, "a")
    assert "a --> b : int" in drawn
    assert "a --> a" not in drawn
    assert "b --> [*] : str" in drawn
