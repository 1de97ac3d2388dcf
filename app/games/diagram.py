"""The state diagram of a game, drawn from its table.

`python -m app.games.diagram` prints it; a unit test fails when ARCHITECTURE.md has another.
"""

from app.games.machine import GAME_TABLE
from app.sessions.diagram import mermaid


def game_diagram() -> str:
    """The diagram of a game's life."""
    return mermaid(
        "game", {entry: targets for entry, (_, targets) in GAME_TABLE.items()}, "matched"
    )


if __name__ == "__main__":
    print(game_diagram())
