"""Python in a worker: what becomes of the page and the game when the worker is none, or ends."""

from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Page, Worker

from app.lab.admin import select
from app.lab.bench import Bench
from app.lab.chromium import Chromium
from app.lab.participant import Participant
from app.lab.waiting import until
from e2e.playing import assert_equal_states, finish_episode

PYTHON_WORKER = "**/python_worker.js"
VISITS = 10
SETTLED_AFTER = 3
"""Visits after which whatever a browser keeps is kept."""

MOST_GROWTH_MB = 120.0
"""An interpreter has more than 100 MB in Chromium: of seven none may stay."""


def python_worker(page: Page) -> Worker:
    """The worker that Python runs in."""
    return next(one for one in page.workers if one.url.endswith("python_worker.js"))


def play_for_a_second(participant: Participant) -> None:
    """Wait until the page has stepped some of its game."""
    until(
        lambda: participant.recorded("game_state_hashed") or None,
        what="a second of the game was played",
        timeout_s=30,
    )


def wait_for_losses(participant: Participant, number: int) -> None:
    """Wait until the page has noticed so many times that its worker ended."""
    until(
        lambda: len(participant.recorded("python_lost")) >= number or None,
        what="the page noticing that its worker ended",
        timeout_s=10,
    )


@pytest.mark.parametrize("fault", ["missing", "broken"])
def test_without_a_worker_the_page_does_it_itself(bench: Bench, studies: Path, fault: str) -> None:
    """Its script does not arrive, or does not run; the report says why, and the game is played."""
    server = bench.serve(studies / "game_first.py")
    unlucky, partner = bench.participant("unlucky"), bench.participant("partner")
    unlucky.page.context.route(
        PYTHON_WORKER,
        lambda route: (
            route.fulfill(status=404)
            if fault == "missing"
            else route.fulfill(status=200, body="this is no script", content_type="text/javascript")
        ),
    )
    for player in (unlucky, partner):
        player.open(server.url)
        # Playwright answers what is routed only while it is asked something.
        player.wait_for_load()
    ended = finish_episode(server, unlucky, partner)
    assert_equal_states(ended, unlucky, partner)
    report = unlucky.load_report()
    assert report["runtime"] == "main"
    assert "could not be started" in report["worker_error"]
    assert partner.load_report()["runtime"] == "worker"

    # Must not happen: that it counts as a failed load.
    assert select(server.admin.events(), "loading_failed") == []


@pytest.mark.parametrize("times", [1, 3])
def test_a_worker_that_ends_in_a_game_is_replaced(bench: Bench, studies: Path, times: int) -> None:
    """Python is loaded anew, the steps are replayed, and both end in equal states."""
    server = bench.serve(studies / "game_first.py")
    unlucky, partner = bench.participant("unlucky"), bench.participant("partner")
    for player in (unlucky, partner):
        player.open(server.url)
    admin = server.admin
    admin.wait_for_event("game_started", timeout_s=60)
    for number in range(times):
        play_for_a_second(unlucky)
        python_worker(unlucky.page).evaluate("self.close()")
        wait_for_losses(unlucky, number + 1)
        unlucky.wait_for(game="running", runtime="ready", timeout_s=30)
    ended = admin.wait_for_event("game_ended", timeout_s=60)
    assert ended["reason"] == "completed"
    for player in (unlucky, partner):
        player.wait_for(game="ended", place="lobby")
    final = {
        entry["hash"]
        for player in (unlucky, partner)
        for entry in player.recorded("game_state_hashed")
        if entry["frame"] == ended["result"]["frame"]
    }
    assert final == {ended["result"]["hash"]}

    # Must not happen: another game, a session that is over, a partner who hears "gone".
    events = admin.events()
    assert len(select(events, "game_matched")) == 1
    assert select(events, "session_gone") == []
    assert "gone" not in {told["link"] for told in partner.recorded("partner_status")}
    unlucky_id = admin.opened_by("unlucky")
    assert len(select(events, "loading_completed", session_id=unlucky_id)) == 1 + times


def test_a_worker_that_ends_while_it_loads_is_made_good_by_the_page(
    bench: Bench, studies: Path
) -> None:
    """As when memory runs out: the page's own thread is what is left."""
    server = bench.serve(studies / "game_first.py")
    unlucky = bench.participant("unlucky")
    unlucky.page.context.route("**/snapshot.pack", lambda route: route.abort())
    unlucky.open(server.url)
    unlucky.wait_for(runtime="loading", timeout_s=20)
    python_worker(unlucky.page).evaluate("self.close()")
    unlucky.wait_for_load()
    report = unlucky.load_report()
    assert report["runtime"] == "main"
    assert "lost" in report["worker_error"]
    assert select(server.admin.events(), "loading_failed") == []


def test_a_page_with_a_worker_stays_responsive_while_it_loads(bench: Bench, studies: Path) -> None:
    """The report proves it: no long task, no heartbeat missed; nor did anybody see it as busy."""
    server = bench.serve(studies / "game_first.py", ping_interval_s=1, snapshots=False)
    alone = bench.participant("alone")
    alone.open(server.url)
    alone.wait_for_load()
    report = alone.load_report()
    assert report["runtime"] == "worker"
    assert report["missed_heartbeats"] == 0
    # A load of three seconds blocks the page for as long where it runs there.
    assert report["longest_block_ms"] < report["total_ms"] / 4
    assert select(server.admin.events(), "became_busy") == []


def test_loading_and_leaving_again_and_again_keeps_no_memory(
    bench: Bench, own_chromium: Chromium, studies: Path, runtime: str
) -> None:
    """Ten visits in one tab: its memory is bounded after the first few."""
    server = bench.serve(studies / "game_first.py", runtime=runtime)
    visitor = bench.participant("visitor", chromium=own_chromium)
    sizes_mb: list[float] = []
    for _ in range(VISITS):
        visitor.open(server.url)
        visitor.wait_for_load()
        # Nobody else holds the tab's memory: it is alone in its browser.
        visitor.page.goto("about:blank")
        collect_garbage(visitor.page)
        sizes_mb.append(renderers_mb(own_chromium))
    growth_mb = sizes_mb[-1] - sizes_mb[SETTLED_AFTER - 1]
    assert growth_mb < MOST_GROWTH_MB, f"renderers after each visit, in MB: {sizes_mb}"


def collect_garbage(page: Page) -> None:
    """Ask V8 to."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.detach()


def renderers_mb(chromium: Chromium) -> float:
    """The memory of all renderers of a browser, MB, as the system counts what only they have."""
    return sum(unique_mb(process_id) for process_id in chromium.renderer_ids())


def unique_mb(process_id: int) -> float:
    """Unique set size of a process, MB; 0 when it is gone."""
    try:
        memory: Any = psutil.Process(process_id).memory_full_info()
    except (psutil.NoSuchProcess, FileNotFoundError):
        return 0.0
    return float(memory.uss) / 1e6
