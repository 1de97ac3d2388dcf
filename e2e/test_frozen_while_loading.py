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
from e2e.frozen_pair import Freezer, FrozenPair
from e2e.playing import EPISODE_FRAMES, assert_equal_states, finish_episode

pytestmark = pytest.mark.full

BUDGET_8_8 = {"ping_interval_s": 8, "ping_timeout_s": 8}
BUDGET_8_30 = {"ping_interval_s": 8, "ping_timeout_s": 30}


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
    assert_during_block(pair, lost)
    admin.wait_for_event("session_gone", session_id=pair.frozen_id)
    admin.wait_for_event("cleanup_done", session_id=pair.frozen_id)
    admin.wait_for_event("partner_told", session_id=pair.partner_id)
    pair.partner.wait_for(link="connected", place="waiting")
    assert [end["reason"] for end in pair.partner.recorded("game_ended")] == ["player_gone"]
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

    assert pair.frozen.load_report()["path"] == ("preload" if preload else "fallback")
    lost = the_only(admin.events(), "link_lost", pair.frozen_id)
    assert lost["grace"] == "loading"
    assert_during_block(pair, lost)
    pair.frozen.wait_for(link="connected", session=pair.frozen_id)
    assert opened_epochs(admin.events(), pair.frozen_id) == [1, 2]

    ended = finish_episode(pair.server, pair.frozen, pair.partner)
    assert ended["result"]["frame"] == EPISODE_FRAMES
    (game,) = admin.games()
    assert game["players"] == {"player_0": pair.frozen_id, "player_1": pair.partner_id}
    assert_equal_states(ended, pair.frozen, pair.partner)

    # Must not happen: a cleanup, or a partner who hears that the other is gone.
    assert_nobody_gone(pair)


def test_a_longer_timeout_does_not_even_disconnect(freezer: Freezer) -> None:
    """Not even disconnected: with 8/30 the same block passes on one and the same connection."""
    pair = freezer.freeze(**BUDGET_8_30)
    admin = pair.server.admin

    ended = finish_episode(pair.server, pair.frozen, pair.partner)
    assert_equal_states(ended, pair.frozen, pair.partner)

    # Must not happen: any lost link, any second connection, anybody gone.
    assert select(admin.events(), "link_lost") == []
    assert opened_epochs(admin.events(), pair.frozen_id) == [1]
    assert_nobody_gone(pair)


def the_only(events: list[Event], name: str, session_id: str) -> Event:
    """The one event of this name that a session has."""
    (only,) = select(events, name, session_id=session_id)
    return only


def opened_epochs(events: list[Event], session_id: str) -> list[int]:
    """The epochs of a session's connections, in order."""
    return [entry["epoch"] for entry in select(events, "session_opened", session_id=session_id)]


def assert_during_block(pair: FrozenPair, event: Event) -> None:
    """The event happened while the frozen page was in its longest block."""
    block = max(pair.frozen.recorded("main_thread_blocked"), key=lambda one: one["duration_ms"])
    begun = block["start_ms"] / 1000
    assert begun < event["at"] < begun + block["duration_ms"] / 1000


def assert_nobody_gone(pair: FrozenPair) -> None:
    """No session was cleaned up, and no page was told that a partner is gone."""
    events = pair.server.admin.events()
    assert select(events, "session_gone") == []
    assert select(events, "cleanup_done") == []
    for page in (pair.frozen, pair.partner):
        assert "gone" not in {told["link"] for told in page.recorded("partner_status")}
        assert {end["reason"] for end in page.recorded("game_ended")} == {"completed"}
