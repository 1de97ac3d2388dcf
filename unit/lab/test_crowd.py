"""A few at a time, on a loop of their own, and no page is left open."""

import asyncio
from typing import cast

from websockets.asyncio.client import ClientConnection

from app.lab.crowd import Crowd, for_each
from app.lab.raw_page import RawPage
from unit.lab.fake_client import FakeClient
from unit.lab.fake_transport import FakeTransport


def test_no_page_outlives_the_crowd() -> None:
    """A page that was left open is cut off, without a close frame."""
    client = FakeClient()
    transport = client.transport = FakeTransport(asyncio.Protocol())

    async def leave_a_page() -> RawPage:
        return RawPage(cast(ClientConnection, client), "page_0001")

    with Crowd() as crowd:
        page = crowd.run(leave_a_page())
        assert page.is_open
    assert (transport.ended, client.close_code) == ("aborted", None)


def test_a_few_at_a_time_and_in_order() -> None:
    """No more run than may, all of them run, and the results are in the items' order."""
    running: list[int] = []
    most = 0

    async def work(item: int) -> int:
        nonlocal most
        running.append(item)
        most = max(most, len(running))
        for _ in range(10 - item):
            await asyncio.sleep(0)
        running.remove(item)
        return item * item

    with Crowd() as crowd:
        assert crowd.run(for_each(range(10), work, at_once=3)) == [n * n for n in range(10)]
    assert most == 3
    assert running == []
