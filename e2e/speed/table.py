"""The table: what was measured, beside what, and what was aimed at."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

HEADINGS = ("what", "ours", "bare", "node", "ratio", "target", "met")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        what: what was measured, with its unit.
        ours: our figure.
        bare: the baseline's in the same run, or None where there is none.
        node: Node.js's socket.io's, or None.
        ratio: what the target speaks of: `ours / bare` unless said otherwise, or None.
        target: what was aimed at, in words.
        met: whether it was met; None for a figure without a target.
        note: what limits it, or what the figure is of; may be empty.
    """

    what: str
    ours: float
    bare: float | None = None
    node: float | None = None
    ratio: float | None = None
    target: str = ""
    met: bool | None = None
    note: str = ""


def median(values: Sequence[float]) -> float:
    """The median, which one disturbed round does not move."""
    return float(statistics.median(values))


def percentile(values: Sequence[float], percent: int) -> float:
    """A percentile of at least two values, interpolated."""
    return float(statistics.quantiles(values, n=100, method="inclusive")[percent - 1])


def shown(rows: Sequence[Row]) -> str:
    """The table for people, in Markdown."""
    lines = [_line(HEADINGS), _line(["---"] * len(HEADINGS))]
    for row in rows:
        met = {None: "", True: "yes", False: "NO"}[row.met]
        figures = [_figure(one) for one in (row.ours, row.bare, row.node, row.ratio)]
        lines.append(_line([row.what, *figures, row.target, met]))
    notes = [f"- {row.what}: {row.note}" for row in rows if row.note]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def write_json(rows: Sequence[Row], file: Path) -> None:
    """Write the rows as a JSON list of objects."""
    file.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
