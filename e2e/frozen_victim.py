"""Somebody who is matched while a load has frozen their page, and what comes of their end."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.lab.admin import Event, select
from app.lab.bench import Bench
from app.lab.participant import Participant
from app.lab.throttle import cpu_throttle

SWEEPER_TOLERANCE_S = 1.0
"""How late the end of a grace may come."""

SLOW_RATE = 8
"""Freezes the page for 11 to 24 s, as was seen, so that it goes in the middle of that."""


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
