"""One visit to a page of the group `load`, in a browser of its own, and what was measured of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, Page, Playwright

from app.lab.chromium import kept_profile
from app.lab.errors import LabError
from app.lab.network import Network
from app.lab.throttle import cpu_throttle
from e2e.speed.idle import wait_until_idle

WATCH = Path(__file__).with_name("load_pages") / "watch.js"
READY = "bench: ready"
"""What a page says, in its console, when it has been loaded."""

FAILED = "bench: failed"
"""How it begins what it says when anything went wrong."""

READY_TIMEOUT_MS = 300_000
"""Longer than a plain load at throttle 20 with the machine busy otherwise."""

PLAYED_STEPS = 240
"""Steps of a first visit, at 30 a second: for eight seconds the browser may compile and keep."""

LEAST_HELD = 0.4
"""How much a page has to be slowed, in parts of the throttle's rate, for it to have held."""

LOOKS = 3
"""How often the slowdown is measured: on a machine that has other work, a throttle may pause."""

WORK = """() => {
  const begun = performance.now();
  let x = 1;
  for (let i = 0; i < 2e7; i += 1) x = Math.imul(x ^ i, 16777619);
  return performance.now() - begun + (x === 1 ? 1 : 0);
}"""
"""Milliseconds for always the same work on the main thread."""

WATCHED = """() => {
  const [{ startTime }] = performance.getEntriesByName("ready");
  return { ready_ms: startTime, tasks: window.bench.tasks, gaps: window.bench.gaps };
}"""

EXPECTED = {
    "plain": {"runtime": "main", "snapshot": "none"},
    "main": {"runtime": "main", "snapshot": "none"},
    "main-snapshot": {"runtime": "main", "snapshot": "restored"},
    "worker": {"runtime": "worker", "snapshot": "none"},
    "worker-snapshot": {"runtime": "worker", "snapshot": "restored"},
}
"""How Python has to have been loaded: a figure of a page that fell back would be another's."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What was measured.

    Attributes:
        ready_ms: from the navigation's start until the first `reset` was done.
        block_ms: the longest task of the main thread that began until then; 0 without one of 50 ms.
        gap_ms: the longest time between two animation frames, of those that began until then.
        wire_bytes: in both directions, of all connections, to the end of the visit.
        late_block_ms: the longest task that began later, while it was played.
    """

    ready_ms: float
    block_ms: float
    gap_ms: float
    wire_bytes: int
    late_block_ms: float


@contextmanager
def loaded_page(
    playwright: Playwright,
    network: Network,
    mode: str,
    profile: Path,
    *,
    rate: float = 1,
    program: Path | None = None,
) -> Iterator[Page]:
    """A page on which Python has been loaded, at a throttle that holds from the navigation on.

    Args:
        playwright: the running Playwright.
        network: leads to the server.
        mode: one of `EXPECTED`.
        profile: the folder of the browser's profile.
        rate: how much the main thread is slowed.
        program: what is started in place of Chromium.

    Raises:
        LabError: it was not loaded in that way.
    """
    with kept_profile(playwright, profile, program) as context:
        context.add_init_script(path=WATCH)
        page = context.pages[0] if context.pages else context.new_page()
        page.goto(f"{network.url}/bench/blank")
        wait_until_idle()
        # The next page is of the same site and gets the same process, so the rate stays.
        with cpu_throttle(page, rate):
            try:
                with page.expect_console_message(
                    lambda message: message.text == READY or message.text.startswith(FAILED),
                    timeout=READY_TIMEOUT_MS,
                ) as said:
                    page.goto(f"{network.url}/bench/{mode}/", wait_until="commit")
            except Error as error:
                raise LabError(f"{mode} was not loaded: {error.message}") from error
            if said.value.text != READY:
                raise LabError(f"{mode} was not loaded: {said.value.text}")
            facts: dict[str, Any] = page.evaluate("() => window.bench.facts")
            if not facts.items() >= EXPECTED[mode].items():
                raise LabError(f"{mode} was loaded in another way: {facts}")
            yield page


def visit(
    playwright: Playwright,
    network: Network,
    mode: str,
    profile: Path,
    *,
    rate: float = 1,
    program: Path | None = None,
    plays: bool = True,
) -> Visit:
    """Visit a page, play if wanted, and leave.

    Raises:
        LabError: it was not loaded in that way, its snapshot was not kept, or the throttle that was
            set did not hold.
    """
    before = network.passed().total
    with loaded_page(playwright, network, mode, profile, rate=rate, program=program) as page:
        page.evaluate("(steps) => window.bench.play(steps)", PLAYED_STEPS if plays else 1)
        if plays and not page.evaluate("() => window.bench.isKept()"):
            raise LabError(f"{mode}: the page has not kept the snapshot")
        watched = page.evaluate(WATCHED)
        _check_throttle(page, rate)
    return _figures(watched, network.passed().total - before)


def _check_throttle(page: Page, rate: float) -> None:
    """See that the throttle held all the time: a new process would have lost it."""
    if rate == 1:
        return
    throttled_ms = max(page.evaluate(WORK) for _ in range(LOOKS))
    with cpu_throttle(page, 1):
        free_ms = min(page.evaluate(WORK) for _ in range(LOOKS))
    if throttled_ms < LEAST_HELD * rate * free_ms:
        raise LabError(f"the throttle of {rate:g} slows by {throttled_ms / free_ms:.1f}")


def _figures(watched: Mapping[str, Any], wire_bytes: int) -> Visit:
    ready_ms, tasks, gaps = watched["ready_ms"], watched["tasks"], watched["gaps"]
    return Visit(
        ready_ms=ready_ms,
        block_ms=max((long_ms for begun_ms, long_ms in tasks if begun_ms <= ready_ms), default=0),
        gap_ms=max((long_ms for begun_ms, long_ms in gaps if begun_ms <= ready_ms), default=0),
        wire_bytes=wire_bytes,
        late_block_ms=max(
            (long_ms for begun_ms, long_ms in tasks if begun_ms > ready_ms), default=0
        ),
    )
