"""A Playwright whose Chromium is a list of processes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Error


class FakePlaywright:
    """Playwright, its Chromium and a session of the DevTools protocol in one.

    Args:
        processes: the types of the browser's processes by their ids, in order.

    Attributes:
        asked: the commands of the DevTools protocol that the browser was sent.
        profiles: the folders that browsers with a profile on disk were started on.
        started: what was started for them.
        closed: how many were closed.
        refuses: whether no browser with a profile on disk starts.
    """

    def __init__(self, processes: Mapping[int, str]) -> None:
        self.asked: list[str] = []
        self.profiles: list[Path] = []
        self.started: list[Path] = []
        self.closed = 0
        self.refuses = False
        self._processes = processes

    @property
    def chromium(self) -> "FakePlaywright":
        """Itself."""
        return self

    def launch(self, **options: Any) -> "FakePlaywright":
        """Itself, running."""
        return self

    def launch_persistent_context(
        self, profile: Path, *, executable_path: Path, **options: Any
    ) -> "FakePlaywright":
        """Itself, running on that profile."""
        if self.refuses:
            raise Error("no such library")
        self.profiles.append(profile)
        self.started.append(executable_path)
        return self

    def close(self) -> None:
        """There is nothing to end."""
        self.closed += 1

    def new_browser_cdp_session(self) -> "FakePlaywright":
        """Itself."""
        return self

    def send(self, method: str) -> dict[str, Any]:
        """Tell of the processes."""
        self.asked.append(method)
        return {"processInfo": [{"type": kind, "id": id_} for id_, kind in self._processes.items()]}
