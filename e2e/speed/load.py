"""The group `load`: how soon Python is ready, and what a participant notices meanwhile.

Every way to load it is measured at every speed in turn, in browsers of their own, first in a new
profile and then, in a new process, in the same one. The throttle of the DevTools protocol slows the
page's main thread alone; the limit of a control group holds for the whole browser.
"""

import shutil
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path

import click
from playwright.sync_api import Playwright, sync_playwright

from app.lab.chromium import the_chromium
from app.lab.cpu_limit import CpuLimit
from app.lab.errors import CpuLimitUnavailable, LabError
from app.lab.network import Network
from e2e.altered_server import AlteredServer
from e2e.speed.load_rows import MODES, OURS, LoadRow, TargetRow, load_rows, target_rows
from e2e.speed.load_steps import stepping
from e2e.speed.load_visit import Visit, visit
from e2e.speed.table import Line
from e2e.study_files import SHIPPED_STUDY

RATES = (1, 6, 20)
LIMITS = {"whole browser 1 core": 1.0, "whole browser 1/4 core": 0.25}
OURS_AT_LEAST = 3
"""How often the default is measured where others are less often: its worst visit counts."""

LIMITED_MODES = ("plain", "worker-snapshot")


@dataclass(frozen=True, slots=True)
class Times:
    """How often each way is measured.

    Attributes:
        at_1: without a throttle.
        at_6: at throttle 6.
        at_20: at throttle 20.
        limited: under each CPU limit.
    """

    at_1: int = 5
    at_6: int = 2
    at_20: int = 1
    limited: int = 1

    def at(self, rate: int) -> int:
        """How often at this throttle."""
        return {1: self.at_1, 6: self.at_6, 20: self.at_20}[rate]


class Loads:
    """Measures visits, and keeps them by speed, kind of visit and mode.

    Args:
        playwright: the running Playwright.
        network: leads to the server.
        folder: for the browsers' profiles.
    """

    def __init__(self, playwright: Playwright, network: Network, folder: Path) -> None:
        self._playwright = playwright
        self._network = network
        self._folder = folder
        self._profiles = 0
        self.measured: dict[tuple[str, str, str], list[Visit]] = defaultdict(list)

    def both_visits(
        self, speed: str, mode: str, *, rate: float = 1, limit: CpuLimit | None = None
    ) -> None:
        """Visit with a new profile and play, then come back in a new process.

        Args:
            speed: what people call the speed.
            mode: the way to load Python.
            rate: how much the main thread is slowed.
            limit: a group for the whole browser.

        Raises:
            LabError: Python was loaded in another way, or the throttle did not hold.
        """
        self._profiles += 1
        profile = self._folder / f"profile-{self._profiles}"
        program = None
        if limit is not None:
            wrapper = self._folder / f"chromium-{self._profiles}"
            program = limit.wrapper(the_chromium(self._playwright), wrapper)
        for kind in ("cold", "warm"):
            one = visit(
                self._playwright,
                self._network,
                mode,
                profile,
                rate=rate,
                program=program,
                plays=kind == "cold",
            )
            self.measured[speed, kind, mode].append(one)
            click.echo(f"  {speed}, {kind}, {mode}: {one}", err=True)
        shutil.rmtree(profile, ignore_errors=True)


def loading(folder: Path, times: Times | None = None) -> list[Line]:
    """All rows of the group.

    Args:
        folder: for the server's store and the browsers' profiles.
        times: how often each is measured.
    """
    times = times or Times()
    with (
        AlteredServer(SHIPPED_STUDY, folder / "server", alterations=["load_pages"]) as server,
        Network(server.url) as network,
        sync_playwright() as playwright,
    ):
        modes = [mode for mode in MODES if _is_offered(server.url, mode)]
        loads = Loads(playwright, network, folder)
        for rate in RATES:
            for mode in _in_turn(modes, times.at(rate)):
                loads.both_visits(f"{rate}x", mode, rate=rate)
        left_out = _under_limits(loads, modes, times.limited)
        with_snapshot = "-snapshot" if "worker-snapshot" in modes else ""
        in_turn = (f"main{with_snapshot}", f"worker{with_snapshot}")
        steps = stepping(playwright, network, in_turn, folder / "stepping")
    if not with_snapshot:
        left_out.append("the server offers no snapshot: nothing was measured with one")
    targets: list[TargetRow] = [*target_rows(loads.measured), *steps]
    return [*_remarked(load_rows(loads.measured), left_out), *targets]


def _in_turn(modes: Sequence[str], times: int) -> list[str]:
    """The ways to load Python, in the order in which they are measured."""
    more = OURS_AT_LEAST - times if times and OURS in modes else 0
    return [*modes] * times + [OURS] * more


def _is_offered(url: str, mode: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/bench/{mode}/", timeout=10):  # noqa: S310
            return True
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.NOT_FOUND:
            return False
        raise


def _under_limits(loads: Loads, modes: Sequence[str], times: int) -> list[str]:
    """Measure with the whole browser limited; returns why that could not be done, if so."""
    for speed, cores in LIMITS.items():
        for _ in range(times):
            for mode in (one for one in modes if one in LIMITED_MODES):
                try:
                    with CpuLimit(cores) as limit:
                        loads.both_visits(speed, mode, limit=limit)
                        if not limit.times_held():
                            raise LabError(f"the limit of {cores:g} cores never held {mode}")
                except CpuLimitUnavailable as error:
                    return [f"nothing was measured under a CPU limit: {error}"]
    return []


def _remarked(rows: Sequence[LoadRow], remarks: Sequence[str]) -> list[LoadRow]:
    """The rows, with what is to be said of all of them at the first."""
    remarked = [replace(row, note="; ".join([row.note, *remarks])) for row in rows[:1]]
    return [*remarked, *rows[1:]]
