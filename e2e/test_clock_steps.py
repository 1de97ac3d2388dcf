"""The system clock is set by an hour under a running server: no session is lost, none stays."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.lab.admin import select
from app.lab.bench import Bench
from app.lab.crowd import Crowd, for_each, open_pages
from app.lab.errors import NotReached
from app.lab.raw_page import RawPage
from app.lab.server import ServerProcess
from app.lab.waiting import until
from e2e import stepped_clock
from e2e.conftest import SERVERS
from e2e.raw_scenes import (
    accepted,
    act,
    join,
    logged,
    running_pair,
    session_of,
    start_loading,
)

HOUR_S = 3600.0
STEPS = pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S], ids=["forward", "back"])

WATCHERS = pytest.mark.parametrize("heartbeat", ["presence", "engineio"])
"""Both ways to watch heartbeats have to be steady."""

FROZEN = 20
"""Pages that owe the answer to a heartbeat; Engine.IO looks at one after the other."""

PATIENT = {"ping_interval_s": 1, "ping_timeout_s": 10, "reconnect_grace_s": 60}
"""Frozen pages are missed after 10 s at the earliest."""

OWED_S = 7.0
"""Less than that, and long enough for Engine.IO to have looked at most of them once."""

SHORT = {
    "ping_interval_s": 1,
    "ping_timeout_s": 2,
    "reconnect_grace_s": 3,
    "loading_timeout_s": 4,
    "loading_budget_s": 4,
    "gone_kept_s": 2,
}
MISSED_WITHIN_S = 1 + 2 * 2 + 3
"""Seconds from a PING to the loss of a page that never answers, by SHORT, with some to spare."""


class SteppedServer(ServerProcess):
    """A server whose wall clock a test can set.

    Args:
        study: the study file.
        folder: an empty folder for its store and its logs.
        settings: fields of `app.settings.Settings` that differ from their defaults.
        stock: leave Engine.IO's heartbeats to it, and on the wall clock, for the control.
    """

    def __init__(
        self, study: Path, folder: Path, settings: dict[str, object], *, stock: bool = False
    ) -> None:
        if stock:
            settings = {**settings, "heartbeat": "engineio"}
        super().__init__(study, folder, settings)
        folder.mkdir()
        self._offset = folder / "offset"
        self._stock = [stepped_clock.STOCK] if stock else []
        self.set_clock(0)

    @property
    def command(self) -> list[str]:
        """The command line that it is started with: the script instead of the module."""
        python, _, _, *rest = super().command
        return [python, stepped_clock.__file__, str(self._offset), *self._stock, *rest]

    def set_clock(self, offset_s: float) -> None:
        """Set the server's wall clock to the real one and so many seconds."""
        beside = self._offset.with_suffix(".new")
        beside.write_text(str(offset_s))
        beside.replace(self._offset)


Serve = Callable[..., SteppedServer]


@pytest.fixture
def serve_stepped(request: pytest.FixtureRequest, tmp_path: Path, studies: Path) -> Iterator[Serve]:
    """Starts servers whose clock can be set: `serve_stepped(stock=False, **settings)`."""
    servers: list[ServerProcess] = request.node.stash.setdefault(SERVERS, [])
    with ExitStack() as running:

        def start(*, stock: bool = False, **settings: object) -> SteppedServer:
            folder = tmp_path / f"server-{len(servers)}"
            server = SteppedServer(studies / "game_first.py", folder, settings, stock=stock)
            servers.append(server)
            return running.enter_context(server)

        yield start


async def frozen_pages(server: ServerProcess) -> list[RawPage]:
    """Pages that load Python, and owe the answer to a heartbeat."""
    pages = await open_pages(server.url, FROZEN)
    for page in pages:
        await start_loading(page)
        page.answers_heartbeat = False
    for page in pages:
        await logged(server, "became_busy", session_id=page.session_id)
    return pages


def all_owe(server: ServerProcess, seconds: float) -> bool | None:
    """True once every busy page owes its answer for so long, or none is busy any more."""
    owed = [one["busy_for_s"] for one in server.admin.sessions() if one["busy"]]
    return True if all(for_s >= seconds for for_s in owed) else None


def wait_until_all_owe(server: ServerProcess, seconds: float = OWED_S) -> None:
    """Wait until every frozen page owes its answer for so long, seconds."""
    until(lambda: all_owe(server, seconds), what="pages owing for long", timeout_s=20)


@WATCHERS
@STEPS
def test_a_step_of_the_clock_loses_no_session(
    serve_stepped: Serve, crowd: Crowd, step_s: float, heartbeat: str
) -> None:
    """Frozen pages keep their connection, a game goes on, who waits waits, who is away returns."""
    server = serve_stepped(**PATIENT, heartbeat=heartbeat)

    async def prepare() -> tuple[list[RawPage], list[RawPage], RawPage]:
        pair = await running_pair(server.url)
        waiting, away = await RawPage.open(server.url), await RawPage.open(server.url)
        await join(waiting)
        await away.drop()
        await logged(server, "link_lost", session_id=away.session_id)
        return await frozen_pages(server), [*pair, waiting], away

    frozen, others, away = crowd.run(prepare())
    server.set_clock(step_s)
    wait_until_all_owe(server)

    async def compare() -> None:
        for page in frozen:
            await page.send_text("3")
            page.answers_heartbeat = True
        for page in (*frozen, *others):
            assert page.is_open
            assert (await session_of(server, page))["epoch"] == 1
            accepted(await page.say("advance_scene", {"scene_id": "past"}))
        for page in others[:2]:
            await act(page, 0)
        for page in others[:2]:
            await page.wait_for("frame_actions")
        back = await away.come_back(server.url)
        assert (back.session_id, back.epoch) == (away.session_id, 2)
        # Time goes on for who loads, and for nobody else's grace.
        loading = (await session_of(server, frozen[0]))["loading"]
        assert 0 < loading["for_s"] < 60
        assert 0 < loading["deadline_in_s"] < 60

    crowd.run(compare())
    events = server.admin.events()
    assert len(select(events, "link_lost")) == 1
    assert select(events, "session_gone") == []
    assert select(events, "game_ended") == []
    # The log's own times are in order, and an hour is nowhere among them.
    times = [entry["at"] for entry in events]
    assert times == sorted(times)
    assert times[-1] - times[0] < 120


def test_stock_heartbeats_lose_frozen_pages_to_a_step_forward(
    serve_stepped: Serve, crowd: Crowd
) -> None:
    """The control: on the wall clock, a PING that is some seconds old is an hour old."""
    server = serve_stepped(stock=True, **PATIENT)
    frozen = crowd.run(frozen_pages(server))
    server.set_clock(HOUR_S)
    lost = server.admin.wait_for_event("link_lost")
    assert lost["reason"] == "ping timeout"
    assert lost["session_id"] in {page.session_id for page in frozen}


@WATCHERS
@STEPS
def test_a_step_of_the_clock_keeps_nobody_for_ever(
    serve_stepped: Serve, crowd: Crowd, step_s: float, heartbeat: str
) -> None:
    """Graces end on time, a page that says nothing any more is missed, and what is over pruned."""
    server = serve_stepped(**SHORT, heartbeat=heartbeat)

    async def prepare() -> tuple[RawPage, RawPage, RawPage]:
        gone, loading = await RawPage.open(server.url), await RawPage.open(server.url)
        dead = await RawPage.open(server.url, answers_heartbeat=False)
        await start_loading(loading)
        await logged(server, "became_busy", session_id=dead.session_id)
        return gone, loading, dead

    gone, loading, dead = crowd.run(prepare())
    server.set_clock(step_s)
    stepped_at = time.monotonic()

    async def vanish() -> None:
        await for_each((gone, loading), lambda page: page.drop())

    crowd.run(vanish())
    admin = server.admin
    admin.wait_for_event("link_lost", session_id=dead.session_id, timeout_s=MISSED_WITHIN_S)
    assert time.monotonic() - stepped_at < MISSED_WITHIN_S
    for page in (gone, loading, dead):
        lost = admin.wait_for_event("link_lost", session_id=page.session_id)
        over = admin.wait_for_event("session_gone", session_id=page.session_id)
        assert over["why"] == "deadline_passed"
        assert lost["deadline_in_s"] <= over["at"] - lost["at"] < lost["deadline_in_s"] + 1.5
        assert 0 < lost["deadline_in_s"] <= 4
    until(lambda: None if admin.sessions() else True, what="pruning", timeout_s=10)


def test_stock_heartbeats_keep_a_dead_page_after_a_step_back(
    serve_stepped: Serve, crowd: Crowd
) -> None:
    """The control: on the wall clock, its PING lies an hour ahead, and it is not missed."""
    server = serve_stepped(stock=True, **SHORT)

    async def prepare() -> RawPage:
        dead = await RawPage.open(server.url, answers_heartbeat=False)
        await logged(server, "became_busy", session_id=dead.session_id)
        return dead

    dead = crowd.run(prepare())
    server.set_clock(-HOUR_S)
    with pytest.raises(NotReached):
        server.admin.wait_for_event(
            "link_lost",
            session_id=dead.session_id,
            where=lambda lost: lost["reason"] == "ping timeout",
            timeout_s=MISSED_WITHIN_S,
        )


@STEPS
def test_a_step_while_the_server_is_down_loses_nobody(
    serve_stepped: Serve, crowd: Crowd, step_s: float
) -> None:
    """Whoever was there comes back in time; who does not is gone after the grace, and no later."""
    server = serve_stepped(ping_interval_s=1, ping_timeout_s=10, reconnect_grace_s=5)

    async def prepare() -> tuple[list[RawPage], RawPage]:
        there = await open_pages(server.url, 10)
        await start_loading(there[0])
        return there, await RawPage.open(server.url)

    there, never = crowd.run(prepare())
    server.kill()
    server.set_clock(step_s)
    server.start()

    async def come_back() -> None:
        for page in there:
            back = await page.come_back(server.url)
            assert (back.session_id, back.epoch) == (page.session_id, 2)

    crowd.run(come_back())
    over = server.admin.wait_for_event("session_gone", timeout_s=10)
    assert over["session_id"] == never.session_id
    (restarted,) = select(server.admin.events(), "server_restarted")
    assert 5 <= over["at"] - restarted["at"] < 7
    linked = [one["link"] for one in server.admin.sessions()]
    assert (linked.count("connected"), linked.count("gone")) == (10, 1)


def test_a_page_whose_own_clock_is_set_keeps_its_session(bench: Bench, shipped_study: Path) -> None:
    """socket.io-client takes its connection for dead then; the page is back, and what it said too.

    engine.io-client compares `Date.now()` with when the next PING is due before it sends anything.
    """
    server = bench.serve(shipped_study)
    ada = bench.participant("ada")
    ada.open(server.url)
    ada.wait_for(link="connected", runtime="ready", timeout_s=60)
    before = ada.announced()
    ada.page.evaluate("{ const real = Date.now; Date.now = () => real() + 3600_000; }")
    ada.page.get_by_role("button", name="Start").click()
    ada.wait_for(link="connected", session=before["session"], place="waiting", timeout_s=20)
    (session,) = server.admin.sessions()
    assert (session["link"], session["epoch"]) == ("connected", 2)
    assert select(server.admin.events(), "session_gone") == []
