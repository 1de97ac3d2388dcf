"""The rows of the group `load`, made of what was measured; knows no browser."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from e2e.speed.load_visit import Visit
from e2e.speed.table import Line, figure, median, yes_or_no

MODES = {
    "plain": "plain `loadPyodide()`, main thread",
    "main": "ours, `main`",
    "main-snapshot": "ours, `main` + snapshot",
    "worker": "ours, `worker`",
    "worker-snapshot": "ours, `worker` + snapshot",
}
"""What people call each way to load Python, in the order of the table."""

OURS = "worker-snapshot"
"""The default, which the targets are about."""

LEAST_SOONER = {"cold": 4.0, "warm": 6.0}
"""How many times sooner than plain it has to be ready, in the same kind of visit."""

MOST_BLOCK_MS = {"1x": 50.0, "20x": 150.0}
MOST_BYTES = {"cold": 9_000_000, "warm": 50_000}
MOST_BLOCK_ON_MAIN_MS = 8_000.0
"""No phase of heartbeats of 8/8 ends a connection within this (FACTS: 16 to 24 s)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRow(Line):
    """One way to load Python, at one speed.

    Attributes:
        speed: which part of the browser was slowed, and how much.
        visit: `cold`, in a new profile, or `warm`, in a browser that was here before.
        ready_ms: from the navigation's start until the first `reset` was done.
        sooner: how many times sooner than plain, or None.
        block_ms: the longest main-thread block until then.
        gap_ms: the worst gap between animation frames until then.
        wire_bytes: in both directions.
    """

    headings: ClassVar[tuple[str, ...]] = (
        "CPU", "visit", "Python", "ready after, ms", "sooner than plain", "longest block, ms",
        "worst frame gap, ms", "bytes on the wire",
    )  # fmt: skip

    speed: str
    visit: str
    ready_ms: float
    sooner: float | None
    block_ms: float
    gap_ms: float
    wire_bytes: float

    @property
    def label(self) -> str:
        """What its note is called by: those of a kind of visit share one."""
        return f"{self.speed}, {self.visit}"

    def cells(self) -> Sequence[str]:
        """What stands under each heading."""
        sooner = "" if self.sooner is None else f"{self.sooner:.1f}"
        whole = [f"{one:,.0f}" for one in (self.block_ms, self.gap_ms, self.wire_bytes)]
        return [self.speed, self.visit, self.what, f"{self.ready_ms:,.0f}", sooner, *whole]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRow(Line):
    """A figure that had to be reached.

    Attributes:
        measured: the figure.
        target: what was aimed at, in words.
    """

    headings: ClassVar[tuple[str, ...]] = ("what", "measured", "target", "met")

    measured: float
    target: str

    def cells(self) -> Sequence[str]:
        """What stands under each heading."""
        return [self.what, figure(self.measured), self.target, yes_or_no(self.met)]


Measured = Mapping[tuple[str, str, str], Sequence[Visit]]
"""The visits by speed, kind of visit and mode."""


def load_rows(measured: Measured) -> list[LoadRow]:
    """A row for each way that was measured at each speed; plain comes first, then as in `MODES`.

    How often they were measured, and the spread, is in the note of the first of a kind of visit.
    """
    rows: list[LoadRow] = []
    for speed in dict.fromkeys(speed for speed, _, _ in measured):
        for visit in LEAST_SOONER:
            modes = [mode for mode in MODES if (speed, visit, mode) in measured]
            spreads = [_spread(mode, measured[speed, visit, mode]) for mode in modes]
            notes = ["; ".join(spreads), *[""] * len(modes)]
            found = [_row(measured, speed, visit, mode) for mode in modes]
            rows += [replace(row, note=note) for row, note in zip(found, notes, strict=False)]
    return rows


def _spread(mode: str, visits: Sequence[Visit]) -> str:
    if len(visits) == 1:
        return f"{mode} once"
    ready_ms = [one.ready_ms for one in visits]
    return f"{mode} {len(visits)} times, {min(ready_ms):,.0f} to {max(ready_ms):,.0f} ms"


def _row(measured: Measured, speed: str, visit: str, mode: str) -> LoadRow:
    visits = measured[speed, visit, mode]
    plain = measured.get((speed, visit, "plain"))
    sooner = _ready_ms(plain) / _ready_ms(visits) if plain and mode != "plain" else None
    return LoadRow(
        what=MODES[mode],
        speed=speed,
        visit=visit,
        ready_ms=_ready_ms(visits),
        sooner=sooner,
        block_ms=median([one.block_ms for one in visits]),
        gap_ms=median([one.gap_ms for one in visits]),
        wire_bytes=median([float(one.wire_bytes) for one in visits]),
    )


def target_rows(measured: Measured) -> list[TargetRow]:
    """What the default has to reach, and `main` with a snapshot, as far as that was measured."""
    ours = [(speed, visit) for speed, visit, mode in measured if mode == OURS]
    rows = []
    for speed, visit in ours:
        if (speed, visit, "plain") in measured and speed.endswith("x"):
            rows.append(_sooner(measured, speed, visit))
    # Not medians: no visit may have had a longer block, or more to fetch.
    for speed, visit in ours:
        if speed in MOST_BLOCK_MS:
            worst = max(one.block_ms for one in measured[speed, visit, OURS])
            what = f"longest block at worst, ms, {speed}, {visit}"
            rows.append(_under(what, worst, MOST_BLOCK_MS[speed]))
    for visit, most in MOST_BYTES.items():
        visits = measured.get(("1x", visit, OURS), ())
        if visits:
            worst = max(one.wire_bytes for one in visits)
            rows.append(_under(f"bytes on the wire at worst, {visit}", worst, most))
    on_main = [
        one.block_ms
        for visit in LEAST_SOONER
        for one in measured.get(("6x", visit, "main-snapshot"), ())
    ]
    if on_main:
        what = "longest block at worst, ms, 6x, `main` + snapshot"
        rows.append(_under(what, max(on_main), MOST_BLOCK_ON_MAIN_MS))
    return rows


def _sooner(measured: Measured, speed: str, visit: str) -> TargetRow:
    ours_ms = _ready_ms(measured[speed, visit, OURS])
    times = _ready_ms(measured[speed, visit, "plain"]) / ours_ms
    of_cold = _ready_ms(measured[speed, "cold", "plain"]) / ours_ms
    return TargetRow(
        what=f"times sooner than plain, {speed}, {visit}",
        measured=times,
        target=f"at least {LEAST_SOONER[visit]:g}",
        met=times >= LEAST_SOONER[visit],
        note="" if visit == "cold" else f"{of_cold:.1f} times sooner than plain's first visit",
    )


def _ready_ms(visits: Sequence[Visit]) -> float:
    return median([one.ready_ms for one in visits])


def _under(what: str, worst: float, limit: float) -> TargetRow:
    return TargetRow(what=what, measured=worst, target=f"under {limit:,.0f}", met=worst < limit)
