"""Loads that do not go through at the first attempt."""

from pathlib import Path

from app.lab.admin import select
from app.lab.bench import Bench
from app.lab.holding import RUNTIME_FILE, refused
from app.lab.throttle import cpu_throttle
from e2e.playing import FREEZING, assert_equal_states, finish_episode

SLOW_RATE = 4
"""Freezes the page for some ten seconds: longer than it takes to see that it is frozen."""


def test_failed_load_is_retried_and_plays(bench: Bench, studies: Path, runtime: str) -> None:
    """With an asset missing the page says so and offers a retry, which then succeeds."""
    server = bench.serve(
        studies / "game_first.py", ping_interval_s=1, ping_timeout_s=4, runtime=runtime
    )
    unlucky, partner = bench.participant("unlucky"), bench.participant("partner")
    with refused(unlucky.page, RUNTIME_FILE):
        unlucky.open(server.url)
        unlucky.wait_for(runtime="failed", timeout_s=30)
        unlucky.part("retry").wait_for(state="visible")
    unlucky_id = server.admin.opened_by("unlucky")
    server.admin.wait_for_event("loading_failed", session_id=unlucky_id)
    partner.open(server.url)
    partner.wait_for(runtime="ready", place="waiting", timeout_s=30)

    # Must not happen: that somebody is matched with a participant whose Python has failed.
    assert select(server.admin.events(), "game_matched") == []

    unlucky.part("retry").click()
    ended = finish_episode(server, unlucky, partner)
    assert_equal_states(ended, unlucky, partner)
    attempts = select(server.admin.events(), "loading_started", session_id=unlucky_id)
    assert len({attempt["attempt_id"] for attempt in attempts}) == 2


def test_page_reloaded_while_it_loads_is_the_same_participant(bench: Bench, studies: Path) -> None:
    """A reload of a page that a load has frozen is the same session, with one new load.

    The old page goes when it thaws, so the heartbeats have to outlast the block: it is the reload
    that is to end the connection.
    """
    server = bench.serve(
        studies / "game_first.py", ping_interval_s=1, ping_timeout_s=30, **FREEZING
    )
    admin = server.admin
    impatient, partner = bench.participant("impatient"), bench.participant("partner")
    partner.open(server.url)
    partner.wait_for(runtime="ready", place="waiting", timeout_s=60)
    impatient.open(server.url)
    with cpu_throttle(impatient.page, SLOW_RATE):
        impatient_id = admin.opened_by("impatient")
        admin.wait_for_event("loading_started", session_id=impatient_id)
        admin.wait_for_event("game_matched", timeout_s=20)
        impatient.wait_until_frozen()
        impatient.reload()
    ended = finish_episode(server, impatient, partner)
    impatient.wait_for(session=impatient_id, link="connected")
    assert_equal_states(ended, impatient, partner)

    events = admin.events()
    opened = select(events, "session_opened", session_id=impatient_id)
    assert [(entry["epoch"], entry.get("new_page")) for entry in opened] == [(1, None), (2, True)]
    (closed,) = select(events, "link_lost")
    assert closed["session_id"] == impatient_id
    assert (closed["close_code"], closed["grace"]) == (1001, "reconnect")
    cut_short, loaded = select(events, "loading_started", session_id=impatient_id)
    completed = select(events, "loading_completed", session_id=impatient_id)
    assert [load["attempt_id"] for load in completed] == [loaded["attempt_id"]]
    assert cut_short["attempt_id"] != loaded["attempt_id"]

    # Must not happen: that the reload cost the seat, or made somebody new of the participant.
    assert select(events, "session_gone") == []
    assert len(select(events, "game_matched")) == 1
    assert len({session["session_id"] for session in admin.sessions()}) == 2
