"""What no page would say is refused clearly or passed over, and costs nobody else anything."""

import asyncio
import http.client
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.lab.crowd import Crowd, for_each, open_pages
from app.lab.errors import LabError
from app.lab.raw_page import ConnectRefused, RawPage
from app.lab.server import ServerProcess
from app.protocol import ErrorCode
from app.sockets.handlers import MESSAGES_BURST
from app.sockets.packets import MAX_CONNECT_BRACKETS
from e2e.raw_scenes import Pair, accepted, game_id_of, running_pair
from e2e.rubbish import NO_PACKETS, Rubbish

Serve = Callable[..., ServerProcess]

PAGES = 10
MESSAGES_A_PAGE = 400
CONNECTS = 900
PACKETS = 100
"""Of one round, 5,000 together; a page stays under its burst, or only that would be refused."""

BOUND_S = 2.0
"""Seconds in which a bystander is answered, on a machine that does other things too.

On an idle one it is a tenth of that. Without pauses in reading a flood takes all of its own time.
"""

ROUNDS = 6
"""Of 5,000 each."""

FORGOTTEN_S = 12.0
"""Seconds in which a page's next heartbeat comes, at the most; they are 8 s apart by default.

For one interval Engine.IO keeps a connection that has ended: 12 MB for each round, so that without
waiting for it memory would follow how fast the rounds are.
"""

GROWTH_MB = 2.0
"""Megabytes of resident memory that the last two rounds may add.

What they leave on purpose is small, some sessions and their log entries; if each of 10,000 messages
left but its 500 bytes, it would be more.
"""

FLOOD_GROWTH_MB = 4.0
"""The same of a flood, whose connection may not be forgotten yet when the server is weighed."""

LEAD_FRAMES = 3
"""Steps between an action and its effect: the input delay."""

FLOOD = 200_000
"""Messages sent as fast as the network takes them."""


Outcome = Counter[str]


class Bystanders:
    """A pair that plays while others send rubbish, and how long each step took to come back.

    Attributes:
        steps: how many were played.
        slowest_s: the longest time from an action to the step with it, seconds.
    """

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._game = {"game_id": game_id_of(pair[0])}
        self.steps = 0
        self.slowest_s = 0.0

    async def play(self) -> None:
        """Play, 30 steps a second, until cancelled."""
        for frame in range(1_000_000):
            sent_at = time.monotonic()
            for page in self._pair:
                await page.tell("player_action", {**self._game, "frame": frame, "action": 1})
            for page in self._pair:
                await page.wait_for("frame_actions", where=partial(_reaches, frame + LEAD_FRAMES))
                page.events.clear()
            self.slowest_s = max(self.slowest_s, time.monotonic() - sent_at)
            self.steps += 1
            await asyncio.sleep(1 / 30)


def _reaches(frame: int, said: dict[str, Any]) -> bool:
    return int(said["from_frame"]) + len(said["actions"]) - 1 == frame


@asynccontextmanager
async def bystanders(url: str) -> AsyncIterator[Bystanders]:
    """A pair that plays within the block; it is served all the time, or the test fails."""
    playing = Bystanders(await running_pair(url))
    task = asyncio.create_task(playing.play())
    try:
        yield playing
    finally:
        task.cancel()
        await asyncio.wait([task])
    assert task.cancelled(), task.exception()
    assert playing.steps > 0
    assert playing.slowest_s < BOUND_S


def state_of(server: ServerProcess) -> dict[str, Any]:
    """All that rubbish could change, without what changes by itself in time and by playing."""
    moving = ("frames", "deadline_in_s", "busy", "busy_for_s")
    return {
        "sessions": [_still(one, moving) for one in server.admin.sessions()],
        "games": [_still(one, moving) for one in server.admin.games()],
        "log": [
            one
            for one in server.admin.events()
            if "busy" not in one["event"] and one["event"] != "became_responsive"
        ],
    }


def _still(view: dict[str, Any], moving: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in view.items() if name not in moving}


def resident_mb(server: ServerProcess) -> float:
    """Megabytes of memory that the server's process occupies (proc(5), `VmRSS`)."""
    status = Path(f"/proc/{server.process_id}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


async def say_rubbish(page: RawPage, rubbish: Rubbish) -> Outcome:
    """Say it without waiting in between; what every message was refused with."""
    answers = [await page.send(*rubbish.message()) for _ in range(MESSAGES_A_PAGE)]
    said = await asyncio.wait_for(asyncio.gather(*answers), 60)
    accepted_ones = [answer for answer in said if answer["ok"]]
    assert accepted_ones == []
    return Counter(answer["error"]["code"] for answer in said)


async def connect_with_rubbish(url: str, rubbish: Rubbish) -> Outcome:
    """CONNECT with `auth` that is none, each on a WebSocket of its own; the refusals."""

    async def one(auth: dict[str, Any]) -> str:
        page = await RawPage.open_socket(url)
        try:
            await page.connect(**auth)
        except ConnectRefused as refused:
            return refused.code
        except LabError:
            # What may be nested too deeply for Socket.IO closes its connection.
            if str(auth).count("[") + str(auth).count("{") < MAX_CONNECT_BRACKETS:
                raise
            return ErrorCode.INVALID_AUTH
        finally:
            await page.drop()
        raise AssertionError(f"CONNECT was accepted with {str(auth)[:200]}")

    return Counter(await for_each([rubbish.auth() for _ in range(CONNECTS)], one, at_once=8))


async def send_no_packets(url: str, rubbish: Rubbish) -> None:
    """Send what is no packet, each on a WebSocket without a session."""

    async def one(packet: str | bytes) -> None:
        page = await RawPage.open_socket(url)
        await page.send_text(packet)
        await page.send_text("41")
        await page.drop()
        assert page.events == []

    await for_each([rubbish.packet() for _ in range(PACKETS)], one, at_once=8)


def test_thirty_thousand_messages_of_rubbish_change_nothing(serve: Serve, crowd: Crowd) -> None:
    """Each is refused with a code; sessions, games and log stay, memory too, and others play."""
    server = serve()

    async def one_round(pages: list[RawPage], seed: int) -> Outcome:
        outcome: Outcome = Counter()
        for number, page in enumerate(pages):
            outcome += await say_rubbish(page, Rubbish(seed * 1000 + number))
        outcome += await connect_with_rubbish(server.url, Rubbish(seed))
        await send_no_packets(server.url, Rubbish(seed))
        return outcome

    async def scenario() -> None:
        async with bystanders(server.url) as playing:
            resident: list[float] = []
            for seed in range(ROUNDS):
                pages = await open_pages(server.url, PAGES)
                before = await asyncio.to_thread(state_of, server)
                outcome = await one_round(pages, seed)
                assert await asyncio.to_thread(state_of, server) == before
                assert sum(outcome.values()) == PAGES * MESSAGES_A_PAGE + CONNECTS
                # Of every kind of refusal there were many, and none was a fault of the server.
                assert set(outcome) <= set(ErrorCode) - {"internal_error", "try_again"}
                assert min(outcome[code] for code in ("invalid_message", "invalid_auth")) > 100
                assert min(outcome[code] for code in ("unknown_event", "out_of_turn")) > 100
                for page in pages:
                    accepted(await page.say("leave"))
                    assert page.heard("session_taken_over") == page.heard("game_matched") == []
                if seed % 2:
                    async with await RawPage.open_socket(server.url) as after:
                        await after.wait_heartbeat(FORGOTTEN_S)
                    resident.append(resident_mb(server))
        print(f"\nresident after each 10,000: {resident} MB")  # noqa: T201 - the figures
        print(f"slowest step of a bystander: {playing.slowest_s:.3f} s of {playing.steps}")  # noqa: T201
        assert resident[-1] - resident[-2] < GROWTH_MB

    crowd.run(scenario(), timeout_s=240)
    assert "Traceback" not in server.log(last_lines=100_000)


def test_every_wrong_packet_leaves_the_session_as_it_was(serve: Serve, crowd: Crowd) -> None:
    """It is passed over, or closes its connection; then the page comes back to the same session."""
    server = serve()

    async def scenario() -> None:
        async with bystanders(server.url):
            ada = await RawPage.open(server.url, participant="ada")
            for packet in NO_PACKETS:
                await ada.send_text(packet)
                try:
                    accepted(await ada.say("advance_scene", {"scene_id": "past"}))
                except Exception:
                    before, ada = ada, await ada.come_back(server.url)
                    assert ada.session_id == before.session_id
                assert (ada.opened["place"], ada.opened["runtime"]) == ("lobby", "cold")
            names = {
                entry["event"]
                for entry in await asyncio.to_thread(server.admin.events)
                if entry["session_id"] == ada.session_id
            }
            assert names <= {"session_opened", "link_lost", "link_restored"}

    crowd.run(scenario())
    assert len(server.admin.sessions()) == 3
    assert "Traceback" not in server.log(last_lines=100_000)


CONNECTS_AGAIN = "of CONNECTs"
"""Socket.IO answers each, so that the first one too many ends its connection."""

PING = 9
"""A WebSocket's opcode (RFC 6455, 5.5.2)."""

FLOODS: dict[str, bytes] = {
    "of events": b'42["dance",{}]',
    "of events that are acknowledged": b'42999999["dance",{}]',
    "of actions in no game": b'42["player_action",{"game_id":"g","frame":0,"action":0}]',
    "of heartbeats": b"3",
    CONNECTS_AGAIN: b'40{"token":"a"}',
}


def masked(message: bytes, opcode: int = 1) -> bytes:
    """A WebSocket frame as a browser sends it (RFC 6455, 5.2); the key 0 masks nothing."""
    assert len(message) < 126
    return bytes((0x80 | opcode, 0x80 | len(message), 0, 0, 0, 0)) + message


class Drain(asyncio.Protocol):
    """Takes what a server sends and looks for one thing in it, which costs this process little.

    Args:
        awaited: what is looked for.

    Attributes:
        over: done once that came, or the connection ended.
    """

    def __init__(self, awaited: bytes) -> None:
        self._awaited = awaited
        self._rest = b""
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        """Look for it, across the pieces."""
        self._rest = (self._rest + data)[-len(data) - len(self._awaited) :]
        if self._awaited in self._rest:
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        """The server has ended it."""
        self._end()

    def _end(self) -> None:
        if not self.over.done():
            self.over.set_result(None)


@pytest.mark.parametrize("kind", [*FLOODS, "of WebSocket pings"])
def test_a_flood_holds_nobody_up(serve: Serve, crowd: Crowd, kind: str) -> None:
    """A page that sends as fast as it can changes nothing, and a pair plays on meanwhile."""
    server = serve()
    frame = masked(b"", PING) if kind not in FLOODS else masked(FLOODS[kind])
    # Events are handled in order: once this one is answered, all were.
    last = masked(b'42777["advance_scene",{"scene_id":"past"}]')

    async def scenario() -> None:
        async with bystanders(server.url) as playing:
            flooder = await RawPage.open(server.url, participant="flooder")
            before = await asyncio.to_thread(state_of, server)
            resident = resident_mb(server)
            drain = Drain(b"43777[")
            flooder.hand_over(drain)
            began_at = time.monotonic()
            flooder.transport.write(frame * FLOOD + last)
            await asyncio.wait_for(drain.over, 60)
            took_s = time.monotonic() - began_at
            ended = flooder.transport.is_closing()
            after = await asyncio.to_thread(state_of, server)
            flooder.transport.abort()
            grown = resident_mb(server) - resident
        print(  # noqa: T201 - the figures
            f"\na flood {kind}: {'ended by the server' if ended else f'{FLOOD / took_s:,.0f}/s'},"
            f" slowest step of a bystander {playing.slowest_s:.3f} s, {grown:+.1f} MB"
        )
        assert ended == (kind == CONNECTS_AGAIN)
        assert ended or after == before
        assert grown < FLOOD_GROWTH_MB
        back = await flooder.come_back(server.url)
        assert back.session_id == flooder.session_id

    crowd.run(scenario())


def test_a_page_has_its_burst_and_no_more(serve: Serve, crowd: Crowd) -> None:
    """What is too fast is refused as such, changes nothing, and time lets the page speak again."""
    server = serve()

    async def scenario() -> None:
        ada = await RawPage.open(server.url)
        many = int(MESSAGES_BURST) * 2
        answers = [await ada.send("advance_scene", {"scene_id": "past"}) for _ in range(many)]
        codes = Counter(
            "ok" if answer["ok"] else answer["error"]["code"]
            for answer in await asyncio.gather(*answers)
        )
        assert set(codes) == {"ok", "rate_limited"}
        assert codes["ok"] >= MESSAGES_BURST
        async with asyncio.timeout(5):
            while not (await ada.say("join_game"))["ok"]:
                pass

    crowd.run(scenario())


REQUESTS = [
    ("GET", "/socket.io/?EIO=4&transport=polling"),
    ("POST", "/socket.io/?EIO=4&transport=polling"),
    ("GET", "/socket.io/?EIO=4&transport=websocket"),
    ("GET", "/socket.io/?EIO=3&transport=websocket"),
    ("GET", "/socket.io/?EIO=4&transport=websocket&sid=none"),
    ("POST", "/socket.io/?EIO=4&transport=websocket&sid=none"),
    ("GET", "/socket.io/?EIO=4&transport=websocket&j=x"),
    ("GET", "/socket.io/"),
    ("DELETE", "/socket.io/?EIO=4&transport=websocket"),
    ("GET", "/%00"),
    ("GET", "/static/..%2f..%2fapp/cli.py"),
    ("GET", "/static/%2e%2e/environment.py"),
    ("POST", "/static/js/index.js"),
    ("POST", "/admin/api/sessions"),
    ("PATCH", "/"),
]
RAW = [b"", b"\r\n\r\n", b"\x00" * 5000, b"GET", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00",
       b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"A" * 100_000]  # fmt: skip
UPGRADES = [
    {}, {"Sec-WebSocket-Version": "8"}, {"Sec-WebSocket-Key": "short"},
    {"Sec-WebSocket-Key": "x" * 5000}, {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
                                        "Sec-WebSocket-Version": "13", "Connection": "close"},
]  # fmt: skip


def test_what_is_no_request_of_ours_is_refused(serve: Serve, crowd: Crowd) -> None:
    """Other transports, handshakes and requests get a status of the 400s, or the end."""
    server = serve()
    address = urlsplit(server.url)
    assert address.hostname is not None
    assert address.port is not None
    place = (address.hostname, address.port)
    statuses = [_status(place, *request) for request in REQUESTS]
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
    path = "/socket.io/?EIO=4&transport=websocket"
    statuses += [_status(place, "GET", path, {**upgrade, **more}) for more in UPGRADES]
    assert [status for status in statuses if not 400 <= status < 500] == []
    for data in RAW:
        with socket.create_connection(place, timeout=15) as raw:
            raw.sendall(data)
            raw.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: _received(raw), b""))
            assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")) or answer == b""

    async def scenario() -> None:
        await running_pair(server.url)

    crowd.run(scenario())
    assert len(server.admin.sessions()) == 2


def _status(
    place: tuple[str, int], method: str, path: str, headers: dict[str, str] | None = None
) -> int:
    connection = http.client.HTTPConnection(*place, timeout=15)
    try:
        connection.request(method, path, headers=headers or {})
        return connection.getresponse().status
    finally:
        connection.close()


def _received(raw: socket.socket) -> bytes:
    try:
        return raw.recv(65_536)
    except ConnectionResetError:
        return b""
