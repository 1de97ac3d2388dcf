"""Who is frozen and never comes back: the grace ends by itself, then the cleanup runs, once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.lab.admin import Event, select
from app.lab.bench import Bench
from app.lab.chromium import Chromium
from app.lab.participant import Participant
from app.lab.throttle import cpu_throttle

SCALED = {
    "ping_interval_s": 1,
    "ping_timeout_s": 10,
    "loading_timeout_s": 12,
    "loading_budget_s": 24,
    "reconnect_grace_s": 3,
}
"""A page goes some three seconds after its load began: long before the heartbeats notice that it is
frozen, and while more of the loading grace is left than the reconnect grace has."""

SWEEPER_TOLERANCE_S = 1.0
"""How late the end of a grace may come."""

SLOW_RATE = 8
"""Freezes the page for some twenty seconds, so that it goes in the middle of that."""


def test_killed_browser_is_cleaned_up_at_the_end_of_its_loading_grace(
    bench: Bench, own_chromium: Chromium, studies: Path
) -> None:
    """A browser that is killed while it is frozen gets the loading grace, and not a second more."""
    bench.serve(studies / "game_first.py", **SCALED)
    victim = bench.participant("victim", chromium=own_chromium)
    with matched_and_frozen(bench, victim) as partner:
        own_chromium.kill()
        lost = link_lost_by(bench, "victim")
    assert (lost["close_code"], lost["grace"]) == (None, "loading")
    assert lost["reason"] != "ping timeout"
    assert lost["deadline_in_s"] > SCALED["reconnect_grace_s"]
    assert_cleaned_up_once_and_on_time(bench, lost, partner)


def test_closed_tab_is_not_waited_for_as_a_load_is(bench: Bench, studies: Path) -> None:
    """A tab that is closed while it is frozen says so, and gets the shorter reconnect grace."""
    bench.serve(studies / "game_first.py", **SCALED)
    victim = bench.participant("victim")
    with matched_and_frozen(bench, victim) as partner:
        victim.page.close()
        lost = link_lost_by(bench, "victim")
    assert (lost["close_code"], lost["grace"]) == (1001, "reconnect")
    assert lost["deadline_in_s"] == SCALED["reconnect_grace_s"]
    assert_cleaned_up_once_and_on_time(bench, lost, partner)


@contextmanager
def matched_and_frozen(bench: Bench, victim: Participant) -> Iterator[Participant]:
    """The victim is frozen by its load, and has been matched with a partner, who is returned.

    The partner has loaded before, so that no second frozen page has a part in what follows.
    """
    admin = bench.server.admin
    partner = bench.participant("partner")
    partner.open(bench.server.url)
    partner.wait_for(runtime="ready", place="waiting", timeout_s=60)
    victim.open(bench.server.url)
    with cpu_throttle(victim.page, SLOW_RATE):
        admin.wait_for_event("game_matched", timeout_s=20)
        admin.wait_for_event("loading_started", session_id=admin.opened_by("victim"))
        victim.wait_until_frozen()
        yield partner


def link_lost_by(bench: Bench, name: str) -> Event:
    """The event of a participant's lost link."""
    admin = bench.server.admin
    return admin.wait_for_event("link_lost", session_id=admin.opened_by(name))


def assert_cleaned_up_once_and_on_time(bench: Bench, lost: Event, partner: Participant) -> None:
    """The session ends when its deadline passes; one cleanup; the partner is told and goes on."""
    admin = bench.server.admin
    gone_id = lost["session_id"]
    gone = admin.wait_for_event(
        "session_gone", session_id=gone_id, timeout_s=lost["deadline_in_s"] + 5
    )
    late_s = gone["at"] - lost["at"] - lost["deadline_in_s"]
    assert 0 <= round(late_s, 3) <= SWEEPER_TOLERANCE_S

    # The partner's seat is worth something again: somebody else comes, and they are matched.
    partner.wait_for(place="waiting", link="connected", timeout_s=20)
    bench.participant("newcomer").open(bench.server.url)
    newcomer_id = admin.opened_by("newcomer")
    partner_id = admin.opened_by("partner")
    admin.wait_for_event(
        "game_matched",
        where=lambda match: match["members"] == [partner_id, newcomer_id],
        timeout_s=20,
    )

    # Must not happen: a second cleanup, a second message to the partner, a way back.
    events = admin.events()
    assert len(select(events, "cleanup_done", session_id=gone_id)) == 1
    assert len(select(events, "partner_told", session_id=partner_id)) == 1
    assert [end["reason"] for end in partner.recorded("game_ended")] == ["player_gone"]
    assert select(events, "link_restored", session_id=gone_id) == []
