"""With the server's own watch a frozen page is not even disconnected, whatever it is sent."""

import asyncio
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from app.lab.admin import Event, select
from app.lab.bench import Bench
from app.lab.calibration import BlockWindow, Calibration
from app.lab.crowd import Crowd
from app.lab.participant import Participant
from app.lab.raw_page import RawPage
from app.lab.server import ServerProcess
from app.lab.throttle import cpu_throttle
from e2e.alter_server import NOISE_PER_S
from e2e.altered_server import AlteredServer
from e2e.frozen_pair import Freezer
from e2e.frozen_victim import SLOW_RATE
from e2e.playing import FREEZING, assert_equal_states, finish_episode
from e2e.raw_scenes import join

LONG_BLOCK = BlockWindow(shortest_s=45, longest_s=58)
"""Longer than 8 and 30 s let pass in any phase; the loading grace has 60 s."""

SCALED: dict[str, Any] = {
    **FREEZING,
    "ping_interval_s": 1,
    "ping_timeout_s": 4,
    "presence_ping_s": 1,
}


@pytest.mark.full
def test_a_frozen_page_is_busy_and_stays_on_its_connection(
    new_bench: Callable[[], Bench], studies: Path
) -> None:
    """The defaults, 8 and 30 s, and a block of at least 45 s: no disconnect, and never `away`."""
    freezer = Freezer(new_bench, Calibration(LONG_BLOCK), studies / "game_first.py")
    pair = freezer.freeze()
    admin = pair.server.admin
    assert pair.longest_block_s() >= LONG_BLOCK.shortest_s

    completed = admin.wait_for_event("loading_completed", session_id=pair.frozen_id)
    assert completed["report"]["longest_block_ms"] == pair.frozen.longest_block_ms()
    (busy, *_) = select(admin.events(), "became_busy", session_id=pair.frozen_id)
    assert busy["seq"] < completed["seq"]
    ended = finish_episode(pair.server, pair.frozen, pair.partner)
    assert_equal_states(ended, pair.frozen, pair.partner)
    told = pair.partner.recorded("partner_status")
    assert ("busy", "loading") in [(one["link"], one["runtime"]) for one in told]

    # Must not happen: a lost link, a second connection, a partner who hears "away".
    events = admin.events()
    assert select(events, "link_lost") == []
    opened = select(events, "session_opened", session_id=pair.frozen_id)
    assert [entry["epoch"] for entry in opened] == [1]
    assert {one["link"] for one in told} <= {"connected", "busy"}


@pytest.mark.parametrize("quiet", [True, False], ids=["quiet", "control"])
class TestQuiet:
    """What a frozen page is sent does not silence its browser; in the control it does."""

    def test_a_noisy_room_costs_a_frozen_page_nothing(
        self, bench: Bench, studies: Path, quiet: bool
    ) -> None:
        """30 messages of 2 kB a second to everybody."""
        alterations = ["noisy_room"] if quiet else ["noisy_room", "unheeding"]
        make = partial(AlteredServer, alterations=alterations)
        server = bench.serve(studies / "game_first.py", make=make, **SCALED)
        ada = bench.participant("ada")
        lost = load_slowly(server, ada)
        assert {entry["cause"] for entry in lost} == (set() if quiet else {"network_lost"})
        if not quiet:
            return
        opened = select(server.admin.events(), "session_opened")
        assert [entry["epoch"] for entry in opened] == [1]
        # Its heartbeat would have ended it, and so would what it was told. It heard the first few,
        # which were on their way, and then how it stood at the end.
        assert ada.longest_block_ms() > 1000 * (1 + 4)
        heard = [one["waiting"] for one in ada.recorded("waiting_room")]
        kept_from_it = max(after - before for before, after in pairwise(heard))
        assert kept_from_it > NOISE_PER_S * 4

    def test_a_restless_partner_costs_a_frozen_page_nothing(
        self, bench: Bench, crowd: Crowd, studies: Path, quiet: bool
    ) -> None:
        """Somebody in the game says as often as they may that they load, and that they do not."""
        make = partial(AlteredServer, alterations=[] if quiet else ["unheeding"])
        server = bench.serve(studies / "game_first.py", make=make, **SCALED)
        ada = bench.participant("ada")

        async def come() -> RawPage:
            bob = await RawPage.open(server.url)
            await join(bob)
            return bob

        async def fidget(bob: RawPage) -> None:
            for number in range(1_000_000):
                attempt = {"attempt_id": f"attempt-{number:08}"}
                start = {**attempt, "path": "preload", "runtime": "main"}
                await bob.tell("pyodide_loading_start", start)
                await bob.tell("pyodide_loading_complete", attempt)
                # Two hundred messages a second are as many as are taken.
                await asyncio.sleep(0.01)

        bob = crowd.run(come())
        fidgeting = crowd.start(fidget(bob))
        try:
            lost = load_slowly(server, ada)
        finally:
            fidgeting.cancel()
        assert {entry["cause"] for entry in lost} == (set() if quiet else {"network_lost"})
        assert len(select(server.admin.events(), "loading_started")) > 1000
        assert select(server.admin.events(), "game_matched") != []


def load_slowly(server: ServerProcess, page: Participant) -> list[Event]:
    """Load with a slow CPU; returns the losses of the page until it has loaded."""
    page.open(server.url)
    with cpu_throttle(page.page, SLOW_RATE):
        page.wait_for_load(timeout_s=120)
    session_id = server.admin.opened_by(page.name)
    return select(server.admin.events(), "link_lost", session_id=session_id)
