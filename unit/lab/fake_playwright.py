"""A Playwright whose Chromium is a list of processes."""

from collections.abc import Mapping
from typing import Any


class FakePlaywright:
    """Playwright, its Chromium and a session of the DevTools protocol in one.

    Args:
        processes: the types of the browser's processes by their ids, in order.

    Attributes:
        asked: the commands of the DevTools protocol that the browser was sent.
    """

    def __init__(self, processes: Mapping[int, str]) -> None:
        self.asked: list[str] = []
        self._processes = processes

    @property
    def chromium(self) -> "FakePlaywright":
        """Itself."""
        return self

    def launch(self, **options: Any) -> "FakePlaywright":
        """Itself, running."""
        return self

    def close(self) -> None:
        """There is nothing to end."""

    def new_browser_cdp_session(self) -> "FakePlaywright":
        """Itself."""
        return self

    def send(self, method: str) -> dict[str, Any]:
        """Tell of the processes."""
        self.asked.append(method)
        return {"processInfo": [{"type": kind, "id": id_} for id_, kind in self._processes.items()]}
