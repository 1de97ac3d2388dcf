"""The table: what was measured, beside what, and what was aimed at."""

import itertools
import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a table; those of one kind that follow each other are one table.

    Attributes:
        what: what was measured, with its unit.
        met: whether what was aimed at was reached; None for a figure without a target.
        note: what limits it, or what the figure is of; may be empty.
    """

    headings: ClassVar[tuple[str, ...]] = ()

    what: str
    met: bool | None = None
    note: str = ""

    @property
    def label(self) -> str:
        """What its note is called by."""
        return self.what

    def cells(self) -> Sequence[str]:
        """What stands under each heading."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(Line):
    """A figure of ours beside the same of others.

    Attributes:
        ours: our figure.
        bare: the baseline's in the same run, or None where there is none.
        node: Node.js's socket.io's, or None.
        ratio: what the target speaks of: `ours / bare` unless said otherwise, or None.
        target: what was aimed at, in words.
    """

    headings: ClassVar[tuple[str, ...]] = ("what", "ours", "bare", "node", "ratio", "target", "met")

    ours: float
    bare: float | None = None
    node: float | None = None
    ratio: float | None = None
    target: str = ""

    def cells(self) -> Sequence[str]:
        """What stands under each heading."""
        figures = [figure(one) for one in (self.ours, self.bare, self.node, self.ratio)]
        return [self.what, *figures, self.target, yes_or_no(self.met)]


def median(values: Sequence[float]) -> float:
    """The median, which one disturbed round does not move."""
    return float(statistics.median(values))


def percentile(values: Sequence[float], percent: int) -> float:
    """A percentile of at least two values, interpolated."""
    return float(statistics.quantiles(values, n=100, method="inclusive")[percent - 1])


def shown(lines: Sequence[Line]) -> str:
    """The tables for people, in Markdown, each with its notes below it."""
    tables = itertools.groupby(lines, key=lambda line: line.headings)
    return "\n\n".join(_table(headings, list(rows)) for headings, rows in tables)


def write_json(lines: Sequence[Line], file: Path) -> None:
    """Write the lines as a JSON list of objects."""
    file.write_text(json.dumps([asdict(line) for line in lines], indent=2) + "\n")


def figure(value: float | None) -> str:
    """A figure with as many digits as it is worth; nothing for None."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def yes_or_no(met: bool | None) -> str:
    """Whether a target was met, so that a miss is seen."""
    return {None: "", True: "yes", False: "NO"}[met]


def _table(headings: Sequence[str], rows: Sequence[Line]) -> str:
    head = [_joined(headings), _joined(["---"] * len(headings))]
    notes = [f"- {row.label}: {row.note}" for row in rows if row.note]
    body = [_joined(row.cells()) for row in rows]
    return "\n".join([*head, *body, *([""] if notes else []), *notes])


def _joined(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
