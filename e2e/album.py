"""Pictures of pages, for people to look at."""

from pathlib import Path

from app.lab.participant import Participant

OVERFLOW_PX = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Album:
    """Takes pictures, numbered in order, of pages that must fit their width.

    Args:
        folder: where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken = 0

    def take(self, name: str, *participants: Participant) -> None:
        """Photograph each of them; nothing may stick out at the side."""
        for participant in participants:
            self._taken += 1
            file = self._folder / f"{self._taken:02}-{name}-{participant.name}.png"
            assert participant.screenshot(file)
            assert participant.page.evaluate(OVERFLOW_PX) <= 0, file.name
