"""The row about a page that thaws: how soon it has its session back, beside a stock client."""

from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from app.lab.chromium import Chromium
from app.lab.waiting import until
from e2e.speed import subjects
from e2e.speed.table import Row, median

TIMES = 9
PING_INTERVAL_S, PING_TIMEOUT_S = 1, 1
BLOCK_MS = 6_000
"""Long enough for the heartbeats above to end the connection, whenever they look (3 s)."""

BLOCK = """(ms) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return performance.timeOrigin + performance.now();
}"""

OURS_OPENED = """() => window.grace.eventLog.entries
  .filter((entry) => entry.event === "connection_opened").map((entry) => entry.at_ms)"""
STOCK_OPENED = "() => window.opened"


def thawing(study: Path, folder: Path) -> list[Row]:
    """Milliseconds from the end of a block to `session_opened`, in Chromium."""
    heartbeats = {"ping_interval_s": PING_INTERVAL_S, "ping_timeout_s": PING_TIMEOUT_S}
    with (
        sync_playwright() as playwright,
        Chromium(playwright) as chromium,
        subjects.ours(study, folder / "thawing", **heartbeats, reconnect_grace_s=60) as ours,
        subjects.bare(PING_INTERVAL_S, PING_TIMEOUT_S) as bare,
    ):
        page = chromium.new_context().new_page()
        page.goto(ours.url)
        page.locator("html[data-runtime=ready]").wait_for(state="attached", timeout=60_000)
        ours_ms = _thaw(page, OURS_OPENED)
        page.goto(bare.url)
        stock_ms = _thaw(page, STOCK_OPENED)
    return [
        Row(
            what="ms from the end of a block to `session_opened`, in Chromium",
            ours=median(ours_ms),
            bare=median(stock_ms),
            ratio=median(ours_ms) / median(stock_ms),
            target="under 100 (median)",
            met=median(ours_ms) < 100,
            note=f"{TIMES} times each; ours {min(ours_ms):.0f} to {max(ours_ms):.0f} ms, stock"
            f" socket.io-client {min(stock_ms):.0f} to {max(stock_ms):.0f} ms",
        )
    ]


def _thaw(page: Page, opened: str) -> list[float]:
    _wait_for_opening(page, opened, after_ms=0.0)
    taken = []
    for _ in range(TIMES):
        thawed_at: float = page.evaluate(BLOCK, BLOCK_MS)
        taken.append(_wait_for_opening(page, opened, after_ms=thawed_at) - thawed_at)
    return taken


def _wait_for_opening(page: Page, opened: str, after_ms: float) -> float:
    """When the page had its session, for the first time after that."""

    def look() -> float | None:
        # Not Playwright's `wait_for_function`: the page's policy lets nobody evaluate text.
        return next((at for at in page.evaluate(opened) if at > after_ms), None)

    return until(look, what="a page being back", timeout_s=30.0)
