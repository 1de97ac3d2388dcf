"""A page that answers what it was given beforehand, in place of Playwright's."""

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from playwright.sync_api import Error, TimeoutError

ATTRIBUTE = r'\[data-(\w+)="(\w+)"\]'


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
        self.contexts: list[dict[str, Any]] = []
        self.closed = False
        self.frozen = False
        self._listeners: dict[str, Callable[[Any], None]] = {}
        self._route: Callable[[Any], None] = lambda _: None

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

    def new_context(self, **options: Any) -> "FakePage":
        """Itself; what it was asked to be is kept."""
        self.contexts.append(options)
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
        """Fail at once when it does not announce what the last selector asks for, or is frozen."""
        asked = self.done[-1].removeprefix("html")
        met = [self.dataset.get(name) == value for name, value in re.findall(ATTRIBUTE, asked)]
        if self.frozen or not (any(met) if asked.startswith(":is") else all(met)):
            raise TimeoutError(f"{timeout:g} ms")

    def evaluate(self, expression: str, timeout: float) -> Any:
        """The dataset or the event log, whichever the expression reads."""
        self._answer()
        return self.dataset if "dataset" in expression else self.log

    def route(self, pattern: str, handler: Callable[[Any], None]) -> None:
        """Keep the handler; `ask` calls it."""
        self.done.append(f"route {pattern}")
        self._route = handler

    def unroute(self, pattern: str) -> None:
        """Keep that it was done."""
        self._answer()
        self.done.append(f"unroute {pattern}")

    def ask(self, what: str) -> None:
        """Ask for a file; whether it was let through or refused is kept."""
        self._route(
            SimpleNamespace(
                continue_=lambda: self.done.append(f"{what} let through"),
                abort=lambda: self.done.append(f"{what} refused"),
            )
        )

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
