"""Rows about a game that is played in a worker: what a step costs there, and whether 30 hold."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Playwright

from app.lab.network import Network
from app.lab.throttle import cpu_throttle
from e2e.speed.load_rows import TargetRow
from e2e.speed.load_visit import loaded_page
from e2e.speed.table import median

RATES = (1, 6)
ROUNDS = 5
STEPS = 250
"""Steps of a round; the pages take turns, so that a noisy moment hits both."""

MOST_MORE_MS = 4.0
STEPS_PER_S = 30
PLAYED_S = 20
LEAST_STEPS_PER_S = 29.5


def stepping(
    playwright: Playwright, network: Network, modes: tuple[str, str], folder: Path
) -> list[TargetRow]:
    """Measure it.

    Args:
        playwright: the running Playwright.
        network: leads to the server.
        modes: the way to load Python on the main thread, and the one in a worker.
        folder: an empty folder for the browsers' profiles.
    """
    with ExitStack() as running:
        pages = [
            running.enter_context(loaded_page(playwright, network, mode, folder / mode))
            for mode in modes
        ]
        costs = [_cost(pages, rate) for rate in RATES]
        holding = [_holding(pages[1], rate) for rate in RATES]
    return [*costs, *holding]


def _cost(pages: list[Page], rate: float) -> TargetRow:
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for page, times in zip(pages, taken, strict=True):
            with cpu_throttle(page, rate):
                times += page.evaluate("(steps) => window.bench.timeSteps(steps)", STEPS)
    main, worker = map(median, taken)
    return TargetRow(
        what=f"ms that a step costs more in a worker than on the main thread, {rate:g}x",
        measured=worker - main,
        target=f"under {MOST_MORE_MS:g}",
        met=worker - main < MOST_MORE_MS,
        note=f"step and render of the shipped environment, medians of {len(taken[0]):,}:"
        f" {worker:.2f} ms in a worker, {main:.2f} ms on the main thread",
    )


def _holding(page: Page, rate: float) -> TargetRow:
    with cpu_throttle(page, rate):
        played: dict[str, Any] = page.evaluate(
            "(steps) => window.bench.play(steps)", STEPS_PER_S * PLAYED_S
        )
    return TargetRow(
        what=f"steps a second while drawing, in a worker, {rate:g}x",
        measured=played["steps_per_s"],
        target=f"at least {LEAST_STEPS_PER_S:g} of {STEPS_PER_S}",
        met=played["steps_per_s"] >= LEAST_STEPS_PER_S,
        note=f"for {PLAYED_S} s; at worst drawn {played['worst_delay_ms']:.0f} ms after it was due",
    )
