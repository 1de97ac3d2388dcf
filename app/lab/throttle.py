"""Slowing a page's main thread with Chromium's own CPU throttle."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from weakref import WeakKeyDictionary

from playwright.sync_api import CDPSession, Error, Page

# A second CDP session on a page resets the rate that the first has set: one is kept per page.
_sessions: WeakKeyDictionary[Page, CDPSession] = WeakKeyDictionary()


@contextmanager
def cpu_throttle(page: Page, rate: float) -> Iterator[None]:
    """Slow the main thread of a page while the block lasts.

    Enter it after the navigation: Chromium forgets the rate when it swaps the renderer process.
    Only the main thread is slowed, by busy-waiting in it, so each throttled page costs the machine
    a core (Chrome DevTools Protocol, `Emulation.setCPUThrottlingRate`).

    Args:
        page: the page, navigated.
        rate: how many times slower; 1 changes nothing.
    """
    _set_rate(page, rate)
    try:
        yield
    finally:
        # A page that was closed, or whose browser was killed, has no throttle to lift.
        with suppress(Error):
            _set_rate(page, 1)


def _set_rate(page: Page, rate: float) -> None:
    session = _sessions.get(page)
    if session is None:
        session = _sessions[page] = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": rate})
