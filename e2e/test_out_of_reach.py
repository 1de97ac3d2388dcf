"""A browser that cannot be reached is noticed by the pings it does not answer, loading or not."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.lab.admin import Event, select
from app.lab.bench import Bench
from app.lab.chromium import Chromium
from app.lab.crowd import Crowd, for_each, open_pages
from app.lab.network import Network
from app.lab.participant import Participant
from app.lab.server import ServerProcess
from app.lab.throttle import cpu_throttle
from app.lab.waiting import until
from e2e.frozen_victim import SLOW_RATE
from e2e.playing import FREEZING
from e2e.raw_scenes import start_loading, work_off_losses

Serve = Callable[..., ServerProcess]

PRESENCE_PING_S = 2.0
SETTINGS: dict[str, Any] = {
    **FREEZING,
    "ping_interval_s": 2,
    "ping_timeout_s": 20,
    "presence_ping_s": PRESENCE_PING_S,
    "reconnect_grace_s": 40,
}
"""Presence notices it long before a heartbeat would."""

NOTICED_WITHIN_S = 2 * PRESENCE_PING_S + 1

LOADING = pytest.mark.parametrize("loading", [True, False], ids=["loading", "not loading"])


@LOADING
def test_a_browser_that_sleeps_is_missed(
    bench: Bench, own_chromium: Chromium, studies: Path, loading: bool
) -> None:
    """Every process of it is stopped, as on a laptop whose lid is closed; later it is back."""
    server = bench.serve(studies / "game_first.py", **SETTINGS)
    sleeper = bench.participant("sleeper", chromium=own_chromium)
    with at_work(server, sleeper, server.url, loading=loading) as session_id:
        with own_chromium.stopped():
            stopped_at = time.time()
            lost = server.admin.wait_for_event("link_lost", session_id=session_id)
        assert_out_of_reach(lost, stopped_at, loading=loading)
    server.admin.wait_for_event("link_restored", session_id=session_id, timeout_s=60)
    sleeper.wait_for(link="connected", session=session_id, runtime="ready", timeout_s=60)
    assert select(server.admin.events(), "session_gone") == []


@LOADING
def test_a_browser_whose_network_is_cut_is_missed(
    bench: Bench, studies: Path, loading: bool
) -> None:
    """Nothing is closed, everything is lost; when there is a network again, the page is back."""
    server = bench.serve(studies / "game_first.py", **SETTINGS)
    remote = bench.participant("remote")
    with (
        Network(server.url) as network,
        at_work(server, remote, network.url, loading=loading) as session_id,
    ):
        network.cut()
        cut_at = time.time()
        lost = server.admin.wait_for_event("link_lost", session_id=session_id)
        assert_out_of_reach(lost, cut_at, loading=loading)
        network.mend()
        server.admin.wait_for_event("link_restored", session_id=session_id, timeout_s=60)
        # A file that was on its way at the cut may be lost, and with it the load.
        remote.wait_for(link="connected", session=session_id, timeout_s=60)
        assert select(server.admin.events(), "session_gone") == []
        # Before its network ends.
        bench.close()


def test_a_page_takes_a_silent_server_for_lost(bench: Bench, studies: Path) -> None:
    """After the ordinary budget without a heartbeat, although Engine.IO was told a longer one.

    What the page says still arrives, and nothing is closed by the network.
    """
    timings: dict[str, Any] = {"ping_interval_s": 2, "ping_timeout_s": 4, "presence_ping_s": 60}
    server = bench.serve(studies / "game_first.py", **timings, reconnect_grace_s=60)
    page = bench.participant("page")
    with Network(server.url) as network:
        page.open(network.url)
        page.wait_for(runtime="ready", place="waiting", timeout_s=60)
        # Python may be ready before there was any.
        until(lambda: page.recorded("heartbeat_seen") or None, what="a heartbeat", timeout_s=10)
        network.cut(only_from_server=True)
        heard_at_ms = page.recorded("heartbeat_seen")[-1]["at_ms"]
        page.wait_for(link="lost", timeout_s=20)
        (lost,) = page.recorded("connection_lost")
        assert lost["reason"] == "no heartbeat"
        # One more may have been on its way.
        assert 6_000 <= lost["at_ms"] - heard_at_ms <= 9_500
        network.mend()
        page.wait_for(link="connected", session=server.admin.opened_by("page"), timeout_s=30)
        bench.close()


def test_a_path_that_dies_in_silence_costs_no_session(bench: Bench, studies: Path) -> None:
    """A router forgets the connection: neither side is told, and a new one would go through.

    The times are half of the defaults. The page has to notice before the grace ends that the server
    has begun long before.
    """
    timings: dict[str, Any] = {
        "ping_interval_s": 4,
        "ping_timeout_s": 15,
        "presence_ping_s": 2.5,
        "reconnect_grace_s": 7.5,
    }
    server = bench.serve(studies / "game_first.py", **timings)
    page = bench.participant("page")
    with Network(server.url) as network:
        page.open(network.url)
        page.wait_for(runtime="ready", place="waiting", timeout_s=60)
        # Right after a heartbeat: no later one could the page wait for.
        seen = len(page.recorded("heartbeat_seen"))
        until(
            lambda: len(page.recorded("heartbeat_seen")) > seen or None,
            what="a heartbeat",
            timeout_s=10,
        )
        network.cut()
        network.mend(tell_pages=False)
        session_id = server.admin.opened_by("page")
        lost = server.admin.wait_for_event("link_lost", session_id=session_id)
        assert_out_of_reach(lost, lost["at"], loading=False)
        server.admin.wait_for_event("link_restored", session_id=session_id, timeout_s=15)
        page.wait_for(link="connected", place="waiting", session=session_id)
        (given_up,) = page.recorded("connection_lost")
        assert given_up["reason"] == "no heartbeat"
        assert select(server.admin.events(), "session_gone") == []
        bench.close()


@LOADING
def test_many_pages_whose_network_is_cut_are_missed_at_once(
    serve: Serve, crowd: Crowd, loading: bool
) -> None:
    """Two hundred; each within two intervals and a second, and their sessions are kept."""
    server = serve(**SETTINGS)
    with Network(server.url) as network:

        async def prepare() -> None:
            pages = await open_pages(network.url, 200)
            if loading:
                await for_each(pages, start_loading)

        crowd.run(prepare())
        network.cut()
        delays = network.ended_by_server(timeout_s=30)
    assert len(delays) == 200
    assert max(delays) <= NOTICED_WITHIN_S
    crowd.run(work_off_losses(server))
    lost = select(server.admin.events(), "link_lost", where=is_out_of_reach)
    # One more was dropped to learn that all of these are worked off.
    assert len(lost) == 200 + 1
    lost.pop()
    assert {entry["grace"] for entry in lost} == {"loading" if loading else "reconnect"}
    assert select(server.admin.events(), "session_gone") == []


@contextmanager
def at_work(server: ServerProcess, page: Participant, url: str, *, loading: bool) -> Iterator[str]:
    """The page loads, and is frozen by that, or waits and has loaded before; its session's id."""
    page.open(url)
    if not loading:
        page.wait_for(runtime="ready", place="waiting", timeout_s=60)
        yield server.admin.opened_by(page.name)
        return
    with cpu_throttle(page.page, SLOW_RATE):
        session_id = server.admin.opened_by(page.name)
        server.admin.wait_for_event("became_busy", session_id=session_id, timeout_s=30)
        yield session_id


def is_out_of_reach(entry: Event) -> bool:
    """Whether it was presence that has noticed."""
    return bool(entry["cause"] == "network_lost")


def assert_out_of_reach(lost: Event, since: float, *, loading: bool) -> None:
    """It was noticed on time, by presence, and given the grace that it has to be given."""
    assert is_out_of_reach(lost)
    assert lost["at"] - since <= NOTICED_WITHIN_S
    assert lost["close_code"] is None
    assert lost["grace"] == ("loading" if loading else "reconnect")
