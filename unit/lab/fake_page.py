"""A page that answers what it was given beforehand, in place of Playwright's."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from playwright.sync_api import Error, TimeoutError


class FakePage:
    """A page, its context, its keyboard and its `<html>` element in one.

    Args:
        dataset: what the page announces on `<html data-*>`.
        log: the entries of its event log.
    """

    def __init__(
        self, dataset: dict[str, str] | None = None, log: list[dict[str, Any]] | None = None
    ) -> None:
        self.dataset = dataset or {}
        self.log = log or []
        self.done: list[str] = []
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.sessions_made = 0
        self.closed = False
        self._listeners: dict[str, Callable[[Any], None]] = {}

    @property
    def context(self) -> "FakePage":
        """Itself."""
        return self

    @property
    def keyboard(self) -> Any:
        """A keyboard that keeps what was pressed."""
        return SimpleNamespace(
            down=lambda key: self.done.append(f"down {key}"),
            up=lambda key: self.done.append(f"up {key}"),
        )

    def on(self, event: str, listener: Callable[[Any], None]) -> None:
        """Listen; `happen` calls it."""
        self._listeners[event] = listener

    def happen(self, event: str, **fields: Any) -> None:
        """Let an event of the browser happen."""
        self._listeners[event](SimpleNamespace(**fields))

    def new_page(self) -> "FakePage":
        """Itself."""
        return self

    def new_context(self, *, phone: bool) -> "FakePage":
        """Itself."""
        return self

    def close(self) -> None:
        """The page, its context and its browser are gone."""
        self.closed = True

    def goto(self, url: str, wait_until: str) -> None:
        """Keep where to."""
        self.done.append(f"{wait_until} {url}")

    def reload(self, wait_until: str) -> None:
        """Keep that it was done."""
        self.done.append(f"{wait_until} reload")

    def screenshot(self, **options: Any) -> bytes:
        """Fail when it is gone, as a real one does."""
        self._answer()
        return b"png"

    def locator(self, selector: str) -> "FakePage":
        """Itself; the selector is kept."""
        self.done.append(selector)
        return self

    def wait_for(self, *, state: str, timeout: float) -> None:
        """Fail at once when it does not announce what the last selector asks for."""
        announced = {f'[data-{name}="{value}"]' for name, value in self.dataset.items()}
        asked = self.done[-1].removeprefix("html")
        if not all(part + "]" in announced for part in asked.split("]") if part):
            raise TimeoutError(f"{timeout:g} ms")

    def evaluate(self, expression: str, timeout: float) -> Any:
        """The dataset or the event log, whichever the expression reads."""
        self._answer()
        return self.dataset if "dataset" in expression else self.log

    def new_cdp_session(self, page: "FakePage") -> "FakePage":
        """Itself; counted."""
        self.sessions_made += 1
        return self

    def send(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Keep a command of the DevTools protocol."""
        self._answer()
        self.sent.append((method, params))
        return {}

    def _answer(self) -> None:
        if self.closed:
            raise Error("Target page, context or browser has been closed")
