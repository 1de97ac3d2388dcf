"""`python -m e2e.speed [GROUP...]`: measure, print the table, and write it as JSON."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from e2e.speed import actions, browser, connections, core, presence
from e2e.speed.table import Row, shown, write_json

STUDY = Path(__file__).with_name("study")

GROUPS: dict[str, Callable[[Path], list[Row]]] = {
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
def main(groups: tuple[str, ...], json_file: Path) -> None:
    """Measure GROUPS of rows, or all of them."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in groups or GROUPS:
            click.echo(f"measuring: {name}", err=True)
            rows += GROUPS[name](Path(folder) / name)
            # After every group: what was measured is not lost with a later one.
            write_json(rows, json_file)
    click.echo(shown(rows))
    sys.exit(1 if any(row.met is False for row in rows) else 0)


if __name__ == "__main__":
    main()
