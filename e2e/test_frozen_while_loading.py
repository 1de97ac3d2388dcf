"""The proof at full scale: a page frozen for longer than the server's heartbeat budget.

Every test here has the same block, 26 to 29.5 s in one piece, measured by the page that had it. The
first shows what it does to a server without grace, so the others can fail.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.lab.admin import Event, select
from app.lab.bench import Bench
from app.lab.calibration import Calibration
from app.lab.participant import Participant
from e2e.frozen_pair import Freezer, FrozenPair
from e2e.playing import EPISODE_FRAMES, assert_equal_states, finish_episode

pytestmark = pytest.mark.full

BUDGET_8_8 = {"ping_interval_s": 8, "ping_timeout_s": 8, "heartbeat": "engineio"}
BUDGET_8_30 = {"ping_interval_s": 8, "ping_timeout_s": 30, "heartbeat": "engineio"}
"""Engine.IO's own heartbeats: what grace does for a page that they have lost."""


@pytest.fixture
def freezer(new_bench: Callable[[], Bench], calibration: Calibration, studies: Path) -> Freezer:
    """Freezes pairs in the study that begins with the game."""
    return Freezer(new_bench, calibration, studies / "game_first.py")


def test_without_grace_the_session_is_lost(freezer: Freezer) -> None:
    """Control: with 8/8 and no grace the disconnect cleans up, and the partner is told."""
    pair = freezer.freeze(**BUDGET_8_8, loading_grace=False)
    admin = pair.server.admin

    lost = the_only(admin.events(), "link_lost", pair.frozen_id)
    assert lost["grace"] == "none"
    assert is_during_block(pair, lost)
    admin.wait_for_event("session_gone", session_id=pair.frozen_id)
    admin.wait_for_event("cleanup_done", session_id=pair.frozen_id)
    admin.wait_for_event("partner_told", session_id=pair.partner_id)
    pair.partner.wait_for(link="connected", place="waiting")
    assert "gone" in links_told_to(pair.partner)
    assert ends_told_to(pair.partner) == ["player_gone"]
    pair.frozen.wait_for(link="over", timeout_s=20)
    pair.frozen.part("over").wait_for(state="visible")

    # Must not happen: that the session, or its game, went on after all.
    assert opened_epochs(admin.events(), pair.frozen_id) == [1]
    assert select(admin.events(), "game_started") == []


@pytest.mark.parametrize("preload", [True, False], ids=["preload", "fallback"])
def test_a_frozen_page_keeps_session_seat_and_partner(freezer: Freezer, preload: bool) -> None:
    """Kept: the same block disconnects, and costs neither the session nor the seat nor the game."""
    pair = freezer.freeze(**BUDGET_8_8, preload=preload)
    admin = pair.server.admin

    lost = the_only(admin.events(), "link_lost", pair.frozen_id)
    assert lost["grace"] == "loading"
    assert is_during_block(pair, lost)
    assert ("away", "loading") in statuses_told_to(pair.partner)
    pair.frozen.wait_for(link="connected", session=pair.frozen_id)
    assert opened_epochs(admin.events(), pair.frozen_id) == [1, 2]
    assert_report_arrived(pair, path="preload" if preload else "fallback")

    ended = finish_episode(pair.server, pair.frozen, pair.partner)
    assert ended["result"]["frame"] == EPISODE_FRAMES
    assert_equal_states(ended, pair.frozen, pair.partner)

    events = admin.events()
    (matched,) = select(events, "game_matched")
    assert matched["game_id"] == ended["game_id"]
    assert matched["seq"] < lost["seq"]
    load = the_only(events, "loading_started", pair.frozen_id)
    assert (load["seq"] < matched["seq"]) is preload
    (game,) = admin.games()
    assert game["players"] == {"player_0": pair.frozen_id, "player_1": pair.partner_id}

    # Must not happen: a cleanup, or a partner who hears that the other is gone.
    assert_nobody_gone(pair)


def test_a_longer_timeout_does_not_even_disconnect(freezer: Freezer) -> None:
    """Not even disconnected: with 8/30 the same block passes on one and the same connection."""
    pair = freezer.freeze(**BUDGET_8_30)
    admin = pair.server.admin

    assert_report_arrived(pair, path="preload")
    noticed = select(admin.events(), "became_busy", session_id=pair.frozen_id)
    assert any(is_during_block(pair, entry) for entry in noticed)
    admin.wait_for_event("became_responsive", session_id=pair.frozen_id)
    ended = finish_episode(pair.server, pair.frozen, pair.partner)
    assert_equal_states(ended, pair.frozen, pair.partner)
    assert ("busy", "loading") in statuses_told_to(pair.partner)

    # Must not happen: any lost link, any second connection, anybody gone.
    assert select(admin.events(), "link_lost") == []
    assert opened_epochs(admin.events(), pair.frozen_id) == [1]
    assert "away" not in links_told_to(pair.partner)
    assert_nobody_gone(pair)


def the_only(events: list[Event], name: str, session_id: str) -> Event:
    """The one event of this name that a session has."""
    (only,) = select(events, name, session_id=session_id)
    return only


def opened_epochs(events: list[Event], session_id: str) -> list[int]:
    """The epochs of a session's connections, in order."""
    return [entry["epoch"] for entry in select(events, "session_opened", session_id=session_id)]


def statuses_told_to(page: Participant) -> list[tuple[str, str]]:
    """The link and the runtime of the partner, each time the page was told of them."""
    return [(told["link"], told["runtime"]) for told in page.recorded("partner_status")]


def links_told_to(page: Participant) -> set[str]:
    """Every link of the partner that the page was told of."""
    return {link for link, _ in statuses_told_to(page)}


def ends_told_to(page: Participant) -> list[str]:
    """The reasons of the ends of games that the page was told of, in order."""
    return [end["reason"] for end in page.recorded("game_ended")]


def is_during_block(pair: FrozenPair, event: Event) -> bool:
    """Whether the event happened while the frozen page was in its longest block."""
    block = max(pair.frozen.recorded("main_thread_blocked"), key=lambda one: one["duration_ms"])
    begun = block["start_ms"] / 1000
    ended = begun + float(block["duration_ms"]) / 1000
    return bool(begun < event["at"] < ended)


def assert_report_arrived(pair: FrozenPair, path: str) -> None:
    """The server has the report of the load, with the block that the page has measured."""
    events = pair.server.admin.events()
    report = the_only(events, "loading_completed", pair.frozen_id)["report"]
    assert report["path"] == path
    assert report["longest_block_ms"] == pair.frozen.longest_block_ms()
    assert report["missed_heartbeats"] > 0


def assert_nobody_gone(pair: FrozenPair) -> None:
    """No session was cleaned up, and no page was told that a partner is gone."""
    events = pair.server.admin.events()
    for loss in ("session_gone", "cleanup_done", "partner_told"):
        assert select(events, loss) == []
    for page in (pair.frozen, pair.partner):
        assert "gone" not in links_told_to(page)
        assert ends_told_to(page) == ["completed"]
