"""A test that waits for what never comes: `test_bench.py` runs this file by name, and kills it."""

from pathlib import Path

from app.lab.bench import Bench

RUNNING = "server and page are running"


def test_that_waits_for_a_partner(bench: Bench, studies: Path) -> None:
    """Nobody else comes."""
    server = bench.serve(studies / "game_first.py")
    alone = bench.participant("alone")
    alone.open(server.url)
    alone.wait_for(link="connected")
    print(f"\n{RUNNING}", flush=True)  # noqa: T201 - read by whoever kills this
    alone.wait_for(game="running", timeout_s=600)
