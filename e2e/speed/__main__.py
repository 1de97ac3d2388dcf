"""`python -m e2e.speed [GROUP...]`: measure, print the table, and write it as JSON."""

import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import astuple
from functools import partial
from pathlib import Path

import click

from e2e.speed import actions, browser, connections, core, load, presence
from e2e.speed.table import Line, shown, write_json

STUDY = Path(__file__).with_name("study")

Measure = Callable[[Path], Sequence[Line]]
"""Measures a group of rows, in a folder of its own."""

GROUPS: dict[str, Measure] = {
    "core": lambda folder: [*core.transitions(), *core.sweeps(folder)],
    "connections": lambda folder: [
        *connections.opening_and_memory(STUDY, folder),
        *connections.coming_back(STUDY, folder),
    ],
    "actions": lambda folder: actions.relaying(STUDY, folder),
    "games": lambda folder: actions.games_at_once(STUDY, folder),
    "presence": lambda folder: [
        *presence.detection(STUDY, folder),
        *presence.cost(STUDY, folder),
    ],
    "browser": lambda folder: browser.thawing(STUDY, folder),
    "load": load.loading,
}


@click.command()
@click.argument("groups", nargs=-1, type=click.Choice(list(GROUPS)))
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("speed.json"),
    help="Where the table is written as JSON.",
    show_default=True,
)
@click.option(
    "--times",
    type=click.IntRange(min=0),
    nargs=4,
    default=astuple(load.Times()),
    help="How often the group load measures at throttle 1, 6 and 20, and under a CPU limit.",
    show_default=True,
)
def main(groups: tuple[str, ...], json_file: Path, times: tuple[int, int, int, int]) -> None:
    """Measure GROUPS of rows, or all of them."""
    measures: dict[str, Measure] = {
        **GROUPS,
        "load": partial(load.loading, times=load.Times(*times)),
    }
    rows: list[Line] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in groups or GROUPS:
            click.echo(f"measuring: {name}", err=True)
            rows += measures[name](Path(folder) / name)
            # After every group: what was measured is not lost with a later one.
            write_json(rows, json_file)
    click.echo(shown(rows))
    sys.exit(1 if any(row.met is False for row in rows) else 0)


if __name__ == "__main__":
    main()
