"""The diagram of a game in the documentation is the table's."""

from pathlib import Path

from app.games.diagram import game_diagram

ARCHITECTURE = Path(__file__).resolve().parents[2] / "ARCHITECTURE.md"


def test_architecture_shows_the_diagram_of_a_game() -> None:
    """ARCHITECTURE.md has the diagram that the table gives now."""
    assert game_diagram() in ARCHITECTURE.read_text(), "see python -m app.games.diagram"
