"""A raw page says what it is told and hears all that is said; its connection is played here."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import cast

import pytest
from websockets.asyncio.client import ClientConnection

from app.lab.errors import LabError, NotReached
from app.lab.raw_page import NO_CLOSE_FRAME, ConnectRefused, RawPage, new_page_id
from unit.lab.fake_client import FakeClient

OPENED = {"session_id": "s_1", "token": "secret", "epoch": 2}

Scenario = Callable[[RawPage, FakeClient], Awaitable[None]]


def play(scenario: Scenario) -> None:
    """Run it with a page whose connection is open; in the end the page is closed."""

    async def run() -> None:
        client = FakeClient()
        async with RawPage(cast(ClientConnection, client), "page_0001") as page:
            await scenario(page, client)

    asyncio.run(run())


async def settle(page: RawPage, client: FakeClient) -> None:
    """Return when the page has taken all that arrived: it is heard in order."""
    client.arrive('42["settled"]')
    while not page.heard("settled"):
        await asyncio.sleep(0)
    page.events.remove(("settled", None))


def test_connecting_says_who_it_is_and_waits() -> None:
    """`session_opened` comes first, then CONNECT is answered."""

    async def scenario(page: RawPage, client: FakeClient) -> None:
        client.arrive("0{}", f"42{json.dumps(['session_opened', OPENED])}", '40{"sid":"x"}')
        assert await page.connect(participant="ada") == OPENED
        (text,) = client.sent
        assert text[:2] == "40"
        assert json.loads(text[2:]) == {"page_id": "page_0001", "participant": "ada"}
        assert (page.session_id, page.token, page.epoch) == ("s_1", "secret", 2)
        assert page.is_open

    play(scenario)


def test_the_handshake_is_kept() -> None:
    """Engine.IO's OPEN says how often the server will ask."""

    async def scenario(page: RawPage, client: FakeClient) -> None:
        assert page.handshake == {}
        client.arrive('0{"sid":"x","pingInterval":8000}')
        await settle(page, client)
        assert page.handshake == {"sid": "x", "pingInterval": 8000}

    play(scenario)


def test_a_heartbeat_can_be_waited_for() -> None:
    """The next one: not what was answered before, and not for ever."""

    async def scenario(page: RawPage, client: FakeClient) -> None:
        client.arrive("2")
        await settle(page, client)
        with pytest.raises(NotReached, match="asked for a sign of life"):
            await page.wait_heartbeat(0)
        waiting = asyncio.create_task(page.wait_heartbeat(5))
        await settle(page, client)
        assert not waiting.done()
        client.arrive("2")
        await waiting
        assert client.sent == ["3", "3"]

    play(scenario)


def test_a_refusal_says_why() -> None:
    """With the code and the data of `connect_error`."""

    async def scenario(page: RawPage, client: FakeClient) -> None:
        client.arrive('44{"message":"no","data":{"code":"invalid_auth"}}')
        with pytest.raises(ConnectRefused, match="invalid_auth") as refused:
            await page.connect()
        assert refused.value.code == "invalid_auth"
        assert page.opened == {}

    play(scenario)


def test_answers_go_to_whom_they_belong() -> None:
    """By their number, in whatever order they come; who asked for none waits for none."""

    async def scenario(page: RawPage, client: FakeClient) -> None:
        first, second = await page.send("a", {}), await page.send("b", {"x": 1})
        await page.tell("c", None)
        assert client.sent == ['421["a", {}]', '422["b", {"x": 1}]', '42["c", null]']
        client.arrive('432[{"ok":false}]', '439[{"ok":true}]', '431[{"ok":true}]')
        assert await first == {"ok": True}
        assert await second == {"ok": False}
        client.arrive('433[{"ok":true,"place":"lobby"}]')
        assert await page.say("d") == {"ok": True, "place": "lobby"}

    play(scenario)


def test_events_are_heard_and_waited_for() -> None:
    """All of them, in order, what came before the question too."""

    async def scenario(page: RawPage, client: FakeClient) -> None:
        client.arrive('42["a",1]', b"bytes", "6", '42["b",2]', '42["a",3]')
        assert await page.wait_for("a", where=lambda payload: payload > 1) == 3
        assert page.events == [("a", 1), ("b", 2), ("a", 3)]
        assert page.heard("a") == [1, 3]
        assert await page.wait_for("b") == 2
        with pytest.raises(NotReached, match="hearing c"):
            await page.wait_for("c", timeout_s=0.01)

    play(scenario)


@pytest.mark.parametrize("answers", [True, False])
def test_a_heartbeat_is_answered_unless_it_is_frozen(answers: bool) -> None:
    """Only PING is answered, and with nothing but PONG."""

    async def scenario(page: RawPage, client: FakeClient) -> None:
        page.answers_heartbeat = answers
        client.arrive("2", "6")
        await settle(page, client)
        assert client.sent == (["3"] if answers else [])

    play(scenario)


def test_a_page_knows_when_it_last_answered_a_heartbeat() -> None:
    """That is when it was opened, until a PONG was sent; nothing else that it says counts."""
    began_at = time.monotonic()

    async def scenario(page: RawPage, client: FakeClient) -> None:
        opened_at = page.ponged_at
        assert began_at <= opened_at <= time.monotonic()
        page.answers_heartbeat = False
        client.arrive("2")
        await settle(page, client)
        await page.tell("a", {})
        assert page.ponged_at == opened_at
        page.answers_heartbeat = True
        asked_at = time.monotonic()
        client.arrive("2")
        await settle(page, client)
        assert asked_at <= page.ponged_at <= time.monotonic()

    play(scenario)


def test_an_answer_that_was_not_sent_does_not_count() -> None:
    """A PING that was still to be read when the connection ended is answered by nobody."""

    async def scenario(page: RawPage, client: FakeClient) -> None:
        opened_at = page.ponged_at
        client.is_broken = True
        client.arrive("2")
        await settle(page, client)
        assert page.ponged_at == opened_at

    play(scenario)


def test_a_page_knows_when_it_ended() -> None:
    """There is no such time while it is open."""

    async def scenario(page: RawPage, client: FakeClient) -> None:
        assert page.closed_at is None
        ending_at = time.monotonic()
        client.end()
        await page.wait_closed()
        assert page.closed_at is not None
        assert ending_at <= page.closed_at <= time.monotonic()

    play(scenario)


@pytest.mark.parametrize(("code", "told"), [(1009, 1009), (None, NO_CLOSE_FRAME)])
def test_an_end_is_told_to_everybody_who_waits(code: int | None, told: int) -> None:
    """Nobody waits for an answer that cannot come any more."""

    async def scenario(page: RawPage, client: FakeClient) -> None:
        answer = await page.send("a", {})
        client.close_code = code
        client.end()
        assert await page.wait_closed() == told
        assert not page.is_open
        for waiting in (answer, page.connect()):
            with pytest.raises(LabError, match="has ended"):
                await waiting
        assert f"closed with {told}" in str(page)

    play(scenario)


def test_pages_are_told_apart() -> None:
    """No two have the same id, and each is one that the server takes."""
    ids = {new_page_id() for _ in range(3)}
    assert len(ids) == 3
    assert all(8 <= len(one) <= 64 for one in ids)
