"""Rows about presence: what it costs, and how soon a loss is noticed, beside stock Engine.IO.

All times are a quarter of the defaults, 8, 30 and 5 s: only their proportions matter.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from app.lab.crowd import Crowd, for_each, open_pages
from app.lab.network import Network
from app.lab.raw_page import RawPage
from app.lab.waiting import until
from app.settings import Settings
from e2e.raw_scenes import start_loading
from e2e.speed import subjects
from e2e.speed.subjects import Subject
from e2e.speed.table import Row, median

IDLE = 1_000
IDLE_S = 20.0
ROUNDS = 2

OFTEN_S = 0.5
"""Seconds between pings, so that their cost stands out from everything else's."""

PING_INTERVAL_S, PING_TIMEOUT_S, PRESENCE_PING_S = 2, 7.5, 1.25
LOADING_TIMEOUT_S = 15.0
"""What stock Engine.IO has to be given for pages that load: 60 s, a quarter of that."""

EVERY_S: float = Settings.model_fields["presence_ping_s"].default

LOST_AT_ONCE = 20
"""Connections that are lost in each case, their phases spread over one heartbeat."""

PONG = b"\x8a\x80\x00\x00\x00\x00"
"""An answer to a ping, masked (RFC 6455, 5.5.3), as a browser sends it: six bytes."""


def cost(study: Path, folder: Path) -> list[Row]:
    """What 1,000 idle connections cost with and without presence, and what goes over the wire."""
    shares: dict[str, list[float]] = {}
    for number in range(ROUNDS):
        with ExitStack() as running:
            crowd = running.enter_context(Crowd())
            heartbeats = {"ping_interval_s": 8, "ping_timeout_s": 30}
            variants: dict[str, dict[str, object]] = {
                "ours": {},
                "often": {"presence_ping_s": OFTEN_S},
                "without": {"heartbeat": "engineio"},
            }
            found = {
                name: subjects.ours(study, folder / f"{name}-{number}", **heartbeats, **variant)
                for name, variant in variants.items()
            }
            found["bare"] = subjects.bare(8, 30)
            for name, subject in found.items():
                measured = _idle(running.enter_context(subject))
                shares.setdefault(name, []).append(crowd.run(measured, timeout_s=120))
    share = {name: median(values) for name, values in shares.items()}
    ping_s = (share["often"] - share["without"]) / (IDLE / OFTEN_S)
    with Crowd() as crowd, subjects.ours(study, folder / "bytes") as ours:
        received, sent = crowd.run(_bytes_of_a_ping(ours))
    return [
        Row(
            what=f"% of a core for {IDLE:,} idle connections, presence and heartbeats",
            ours=100 * share["ours"],
            bare=100 * share["bare"],
            ratio=share["ours"] / share["bare"],
            note="bare has heartbeats only; ours without presence"
            f" {100 * share['without']:.2f} %, with a ping every {OFTEN_S:g} s"
            f" {100 * share['often']:.2f} %",
        ),
        Row(
            what="us of CPU for a ping and its answer",
            ours=1e6 * ping_s,
            note=f"every {EVERY_S:g} s: {1e6 * ping_s / EVERY_S:.0f} us a second for a connection",
        ),
        Row(
            what="bytes for a ping and its answer, without TCP's",
            ours=received + sent,
            note=f"{received:g} from the server, {sent:g} from the browser; every {EVERY_S:g} s:"
            f" {(received + sent) / EVERY_S:g} bytes a second for a connection",
        ),
    ]


async def _idle(subject: Subject) -> float:
    pages = await open_pages(subject.url, IDLE)
    # What opening them has left to do is done by then, and every phase of the pings has come up.
    await asyncio.sleep(6.0)
    cpu_s, begun = subject.cpu_s(), time.perf_counter()
    await asyncio.sleep(IDLE_S)
    share = (subject.cpu_s() - cpu_s) / (time.perf_counter() - begun)
    await for_each(pages, RawPage.drop)
    return share


class _Counting(asyncio.Protocol):
    """Answers protocol pings, and counts the bytes."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.received = self.sent = self.pings = 0

    def data_received(self, data: bytes) -> None:
        """Take what the server sends; nothing but pings comes in the time of the measurement."""
        self.received += len(data)
        for _ in range(data.count(b"\x89\x00")):
            self._transport.write(PONG)
            self.sent += len(PONG)
            self.pings += 1


async def _bytes_of_a_ping(ours: Subject) -> tuple[float, float]:
    page = await RawPage.open(ours.url)
    counting = _Counting(page.transport)
    page.hand_over(counting)
    # Its heartbeat is due after 25 s: all that goes to and fro before is presence.
    await asyncio.sleep(4.5 * EVERY_S)
    return counting.received / counting.pings, counting.sent / counting.pings


def detection(study: Path, folder: Path) -> list[Row]:
    """Seconds until a loss is noticed, in each case, beside stock Engine.IO."""
    heartbeats = {"ping_interval_s": PING_INTERVAL_S, "ping_timeout_s": PING_TIMEOUT_S}
    with (
        Crowd() as crowd,
        subjects.ours(
            study, folder / "detection", **heartbeats, presence_ping_s=PRESENCE_PING_S
        ) as ours,
        subjects.bare(PING_INTERVAL_S, PING_TIMEOUT_S) as bare,
        subjects.bare(PING_INTERVAL_S, LOADING_TIMEOUT_S) as patient,
    ):
        rows = []
        for what, lose, stock in (
            ("a page that is closed (1001)", _closed, bare),
            ("a browser that is killed", _killed, bare),
            ("a network that is cut", _cut, bare),
            ("a network that is cut while the page loads", _cut_while_loading, patient),
            ("a page that answers nothing and does not load", _silent, bare),
        ):
            found = crowd.run(lose(ours), timeout_s=120)
            stocks = crowd.run(lose(stock), timeout_s=120)
            rows.append(_row(what, found, stocks))
    return rows


def _row(what: str, found: list[float], stocks: list[float]) -> Row:
    return Row(
        what=f"s until it is noticed, at worst: {what}",
        ours=max(found),
        bare=max(stocks),
        ratio=max(found) / max(stocks),
        note=f"median {median(found):.3g} s, stock {median(stocks):.3g} s; {len(found)} times",
    )


_Lose = Callable[[RawPage], Awaitable[object]]


async def _open_in_turn(url: str) -> list[RawPage]:
    async def open_late(index: int) -> RawPage:
        await asyncio.sleep(PING_INTERVAL_S * index / LOST_AT_ONCE)
        return await RawPage.open(url)

    return await for_each(range(LOST_AT_ONCE), open_late, at_once=LOST_AT_ONCE)


async def _noticed(subject: Subject, lost_at: Mapping[str, float]) -> list[float]:
    """Seconds from when each session was lost to when the server noticed it."""

    def look() -> Mapping[str, float] | None:
        found = subject.losses()
        return found if found.keys() >= lost_at.keys() else None

    noticed_at = await asyncio.to_thread(
        until, look, what="all losses being noticed", timeout_s=90.0
    )
    return [noticed_at[session_id] - at for session_id, at in lost_at.items()]


async def _lose_each(subject: Subject, lose: _Lose) -> list[float]:
    pages = await _open_in_turn(subject.url)
    lost_at = {}
    for page in pages:
        lost_at[page.session_id] = time.time()
        await lose(page)
    return await _noticed(subject, lost_at)


async def _closed(subject: Subject) -> list[float]:
    return await _lose_each(subject, lambda page: page.close(1001))


async def _killed(subject: Subject) -> list[float]:
    return await _lose_each(subject, RawPage.drop)


async def _cut(subject: Subject) -> list[float]:
    return await _lose_network(subject, loading=False)


async def _cut_while_loading(subject: Subject) -> list[float]:
    return await _lose_network(subject, loading=True)


async def _lose_network(subject: Subject, *, loading: bool) -> list[float]:
    with Network(subject.url) as network:
        pages = await _open_in_turn(network.url)
        for page in pages if loading else []:
            # To a stock server a page that loads is one that answers nothing.
            page.answers_heartbeat = False
            if subject.name == "ours":
                await start_loading(page)
        # Every phase of the pings has come up.
        await asyncio.sleep(2 * PRESENCE_PING_S)
        network.cut()
        cut_at = time.time()
        return await _noticed(subject, {page.session_id: cut_at for page in pages})


async def _silent(subject: Subject) -> list[float]:
    pages = await _open_in_turn(subject.url)
    for page in pages:
        page.answers_heartbeat = False
    ponged_at = {page.session_id: page.ponged_at for page in pages}
    # Both clocks go on at the same pace; only one of them is the server's.
    offset = time.time() - time.monotonic()
    return await _noticed(subject, {one: at + offset for one, at in ponged_at.items()})
