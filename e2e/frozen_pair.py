"""The scene of the full-scale proof: one page frozen by its load, and the partner's, which is not.

The first participant opens the study, whose first scene is the game, waits, and begins to load
Python. The second comes, and the two are matched. Then the first one freezes.

What Python is made of is held back from the first one until the second has loaded it. Chromium's
throttle is a thread that interrupts the page's; with a second load on the same cores it comes late,
and how long the page is frozen would be a matter of chance.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from app.lab.bench import Bench
from app.lab.calibration import Calibration
from app.lab.holding import RUNTIME_FILE, held_back
from app.lab.participant import Participant
from app.lab.server import ServerProcess
from app.lab.throttle import cpu_throttle
from e2e.playing import FREEZING

LOAD_TIMEOUT_S = 150.0
"""Far beyond the longest load, for a machine that is much slower than it was a minute ago."""


class FrozenPair:
    """Two participants, the first of whom has just been frozen, and their server.

    Attributes:
        frozen, partner: the two.
        frozen_id, partner_id: their session ids.
    """

    def __init__(self, bench: Bench, rate: float, study: Path, settings: Mapping[str, Any]):
        self._bench = bench
        self.server: ServerProcess = bench.serve(study, **FREEZING, **settings)
        self.frozen: Participant = bench.participant("frozen")
        self.partner: Participant = bench.participant("partner")
        admin = self.server.admin
        self.frozen.open(self.server.url)
        with cpu_throttle(self.frozen.page, rate):
            with held_back(self.frozen.page, RUNTIME_FILE):
                self.frozen_id = admin.opened_by("frozen")
                # Without a preload the load begins at the match, which needs the partner.
                begun = "loading_started" if settings.get("preload", True) else "queue_joined"
                admin.wait_for_event(begun, session_id=self.frozen_id, timeout_s=30)
                self.partner.open(self.server.url)
                self.partner_id = admin.opened_by("partner")
                self.partner.wait_for(game="matched", runtime="ready", timeout_s=60)
            self.frozen.wait_for_load(LOAD_TIMEOUT_S)

    def longest_block_s(self) -> float:
        """Seconds of the frozen page's longest main-thread block, as it reports it itself."""
        return self.frozen.longest_block_ms() / 1000

    def close(self) -> None:
        """Close the pages and the server."""
        self._bench.close()


class Freezer:
    """Makes frozen pairs whose block is as long as the proof needs, and asserts that it is.

    Args:
        new_bench: makes a bench; every attempt has its own.
        calibration: what is known of throttle rates.
        study: a study whose first scene is the game.
    """

    def __init__(self, new_bench: Callable[[], Bench], calibration: Calibration, study: Path):
        self._new_bench = new_bench
        self._calibration = calibration
        self._study = study

    def freeze(self, **settings: Any) -> FrozenPair:
        """A pair on a server with these settings, right after the block.

        Raises:
            BlockMissed: no attempt gave a block of the wanted length.
        """
        pair = self._calibration.freeze(
            lambda rate: FrozenPair(self._new_bench(), rate, self._study, settings),
            probe=self._plain_block_s,
        )
        assert pair.longest_block_s() in self._calibration.window
        return pair

    def _plain_block_s(self, rate: float) -> float:
        bench = self._new_bench()
        server = bench.serve(self._study, **FREEZING)
        alone = bench.participant("alone")
        alone.open(server.url)
        with cpu_throttle(alone.page, rate):
            alone.wait_for_load(LOAD_TIMEOUT_S)
        block_ms = alone.longest_block_ms()
        bench.close()
        return block_ms / 1000
