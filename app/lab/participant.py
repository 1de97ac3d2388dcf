"""One participant: a page in a real browser, read through what it announces and records.

Nothing here waits for time. A page says on `<html data-link data-runtime data-place data-scene
data-game data-session>` where it stands, and writes everything else into its event log.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Error, Locator, Page, TimeoutError

from app.lab.errors import LabError, NotReached
from app.lab.waiting import until

READ_TIMEOUT_S = 5.0
"""Seconds to wait for a page that is asked something; a frozen page cannot answer."""

FROZEN_S = 1.5
"""Seconds without an answer after which a page counts as frozen."""

LOAD_ENDED = ("loading_completed", "loading_failed")
"""Entries of the page's event log that carry the report of a load."""

READ_STATE = "(html) => ({ ...html.dataset })"
READ_LOG = "() => (window.grace ? window.grace.eventLog.entries : [])"


class Participant:
    """A participant's page.

    Args:
        name: what the record calls it; the page passes it on as the participant's label.
        page: a page of the participant's own browser context.
    """

    def __init__(self, name: str, page: Page) -> None:
        self.name = name
        self.page = page
        self.faults: list[str] = []
        self._last_log: list[dict[str, Any]] = []
        page.on("pageerror", lambda error: self.faults.append(f"uncaught: {error.message}"))
        page.on("console", lambda message: self._keep_refusal(message.text))

    def open(self, url: str) -> None:
        """Open the study; returns when the document begins to load.

        Args:
            url: the server's address.
        """
        self.page.goto(f"{url}/?{urlencode({'participant': self.name})}", wait_until="commit")

    def reload(self) -> None:
        """Press the browser's reload button; returns when the new document begins to load.

        On a frozen page that is when it thaws: the new document comes into the same process, and
        waits for its main thread (seen in Chromium 156). Playwright waits for 30 s.
        """
        self.page.reload(wait_until="commit")

    def wait_for(self, *, timeout_s: float = 10.0, **announced: str) -> None:
        """Wait until the page announces all of this at once.

        Args:
            timeout_s: seconds to wait at most.
            announced: values by the name of the attribute without `data-`: `link`, `runtime`,
                `place`, `scene`, `game`, `session`.

        Raises:
            NotReached: it did not in time; with what it announces in its place.
        """
        selector = "".join(f'[data-{name}="{value}"]' for name, value in announced.items())
        self._wait_for_html(selector, f"announcing {announced}", timeout_s)

    def wait_for_load(self, timeout_s: float = 60.0) -> None:
        """Wait until the page has loaded Python, or failed to, and has reported it.

        Raises:
            NotReached: it had not in time.
        """
        # A page whose session ended meanwhile announces that; its load goes on, and is reported.
        ended = ':is([data-runtime="ready"], [data-runtime="failed"], [data-link="over"])'
        self._wait_for_html(ended, "loading to an end", timeout_s)
        until(
            lambda: self._load_reports() or None,
            what=f"page {self.name} reporting its load",
            timeout_s=timeout_s,
        )

    def wait_until_frozen(self, timeout_s: float = 30.0) -> None:
        """Wait until the page's main thread has answered nothing for `FROZEN_S`.

        Raises:
            NotReached: it answered all the time.
        """

        def look() -> bool | None:
            try:
                self.page.locator("html").wait_for(state="attached", timeout=FROZEN_S * 1000)
            except TimeoutError:
                return True
            return None

        until(look, what=f"page {self.name} freezing", timeout_s=timeout_s)

    def announced(self) -> Mapping[str, str]:
        """What the page announces now.

        Raises:
            LabError: it does not answer, because it is frozen or its browser is gone.
        """
        state: Mapping[str, str] = self._read(READ_STATE)
        return state

    def event_log(self) -> list[dict[str, Any]]:
        """Everything this page has recorded, `{at_ms, event, ...}`, in order.

        Of a page that is gone, what was read last.
        """
        with suppress(LabError):
            self._read_log()
        return self._last_log

    def recorded(self, event: str) -> list[dict[str, Any]]:
        """The entries of the page's event log with this name, in order.

        Raises:
            LabError: the page does not answer; that it has not recorded something cannot be said.
        """
        return [entry for entry in self._read_log() if entry["event"] == event]

    def load_report(self) -> dict[str, Any]:
        """What the page reports of its last load: `{path, longest_block_ms, ...}`.

        Raises:
            LabError: no load of this page has ended.
        """
        reports = self._load_reports()
        if not reports:
            raise LabError(f"page {self.name} has reported no load")
        return reports[-1]

    def longest_block_ms(self) -> float:
        """The longest main-thread block of the page's last load, milliseconds, by its report."""
        return float(self.load_report()["longest_block_ms"])

    def part(self, test_id: str) -> Locator:
        """A part of the page by its `data-testid`."""
        return self.page.get_by_test_id(test_id)

    @contextmanager
    def hold(self, key: str) -> Iterator[None]:
        """Hold a key of the keyboard down while the block lasts.

        Args:
            key: a `KeyboardEvent.key` or `.code` name, as `ArrowLeft` or `KeyA`.
        """
        self.page.keyboard.down(key)
        try:
            yield
        finally:
            self.page.keyboard.up(key)

    def screenshot(self, file: Path) -> bool:
        """Save a picture of the page; False when there is none to take (frozen or gone)."""
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.page.screenshot(path=file, timeout=READ_TIMEOUT_S * 1000)
        except Error:
            return False
        return True

    def _load_reports(self) -> list[dict[str, Any]]:
        return [entry for entry in self.event_log() if entry["event"] in LOAD_ENDED]

    def _read_log(self) -> list[dict[str, Any]]:
        self._last_log = self._read(READ_LOG)
        return self._last_log

    def _wait_for_html(self, selector: str, what: str, timeout_s: float) -> None:
        try:
            self.page.locator(f"html{selector}").wait_for(
                state="attached", timeout=timeout_s * 1000
            )
        except TimeoutError as late:
            what = f"page {self.name} {what}"
            raise NotReached(what, timeout_s, self._state_in_words()) from late

    def _read(self, expression: str) -> Any:
        try:
            html = self.page.locator("html")
            return html.evaluate(expression, timeout=READ_TIMEOUT_S * 1000)
        except Error as error:
            raise LabError(f"page {self.name} does not answer: {error.message}") from error

    def _state_in_words(self) -> str:
        try:
            return str(self.announced())
        except LabError as error:
            return str(error)

    def _keep_refusal(self, text: str) -> None:
        if "Content Security Policy" in text:
            self.faults.append(text)
