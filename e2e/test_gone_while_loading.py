"""Who is frozen and never comes back: the grace ends by itself, then the cleanup runs, once."""

import time
from pathlib import Path
from typing import Any

from app.lab.bench import Bench
from app.lab.chromium import Chromium
from e2e.frozen_victim import assert_cleaned_up_once_and_on_time, link_lost_by, matched_and_frozen
from e2e.playing import FREEZING

SCALED: dict[str, Any] = {
    **FREEZING,
    "ping_interval_s": 1,
    "ping_timeout_s": 10,
    "loading_timeout_s": 12,
    "loading_budget_s": 24,
    "reconnect_grace_s": 3,
}
"""A page goes some three seconds after its load began: long before the heartbeats notice that it is
frozen, and while more of the loading grace is left than the reconnect grace has."""

SAID_WITHIN_S = 1.0
"""How long it may take until a page's last word is in the log."""


def test_killed_browser_is_cleaned_up_at_the_end_of_its_loading_grace(
    bench: Bench, own_chromium: Chromium, studies: Path
) -> None:
    """A browser that is killed while it is frozen gets the loading grace, and not a second more."""
    bench.serve(studies / "game_first.py", **SCALED)
    victim = bench.participant("victim", chromium=own_chromium)
    with matched_and_frozen(bench, victim) as partner:
        own_chromium.kill()
        lost = link_lost_by(bench, "victim")
    assert (lost["cause"], lost["close_code"]) == ("network_lost", None)
    assert lost["grace"] == "loading"
    assert lost["deadline_in_s"] > SCALED["reconnect_grace_s"]
    assert_cleaned_up_once_and_on_time(bench, lost, partner)


def test_closed_tab_is_not_waited_for_as_a_load_is(bench: Bench, studies: Path) -> None:
    """A tab that is closed while it is frozen says so at once, and gets the reconnect grace.

    The partner hears of it and of how long that can last, and then that the other is gone.
    """
    bench.serve(studies / "game_first.py", **SCALED)
    victim = bench.participant("victim")
    with matched_and_frozen(bench, victim) as partner:
        closed_at = time.time()
        victim.page.close()
        lost = link_lost_by(bench, "victim")
    assert lost["at"] - closed_at < SAID_WITHIN_S
    assert (lost["cause"], lost["close_code"]) == ("page_closed", 1001)
    assert lost["grace"] == "reconnect"
    assert lost["deadline_in_s"] == SCALED["reconnect_grace_s"]
    assert_cleaned_up_once_and_on_time(bench, lost, partner)
    first = partner.recorded("game_matched")[0]["game_id"]
    told = [one for one in partner.recorded("partner_status") if one["game_id"] == first]
    away, gone = told[-2:]
    assert (away["link"], gone["link"]) == ("away", "gone")
    assert 0 < away["seconds_left"] <= SCALED["reconnect_grace_s"]
