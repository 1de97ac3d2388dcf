"""A network between pages and a server that can be cut without anybody being told.

It is a proxy on the loopback address. While it is cut it reads what arrives and throws it away, the
news that a connection has ended too. Each system still has its packets acknowledged, by this
machine: neither gives up for a lack of that, as TCP does after many minutes.
"""

import asyncio
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from app.lab.errors import LabError
from app.lab.lines import Line, Lines, Passed
from app.lab.loop_thread import LoopThread
from app.lab.waiting import until

LOOPBACK = "127.0.0.1"


class Network:
    """A network that leads to one server, a context manager.

    It has a thread of its own, so all of this can be used from any thread, that of Playwright too.
    The requests pass as they are: a page's `Host` and `Origin` both name the network's address.
    Where the server cannot be reached, a connection is accepted and then closed.

    Args:
        server_url: the server's address, `http://HOST:PORT`.
    """

    def __init__(self, server_url: str) -> None:
        address = urlsplit(server_url)
        if address.hostname is None or address.port is None:
            raise LabError(f"{server_url} names no host and port")
        self._server = (address.hostname, address.port)
        self._port = 0
        self._thread = LoopThread()
        self._dials: set[asyncio.Task[None]] = set()
        self._lines: Lines
        self._listener: asyncio.Server

    @property
    def url(self) -> str:
        """Where pages reach the server through this network.

        Raises:
            LabError: it was not entered.
        """
        if not self._port:
            raise LabError("this network does not run")
        return f"http://{LOOPBACK}:{self._port}"

    def __enter__(self) -> Self:
        """Listen on a free port."""
        self._thread.__enter__()
        self._thread.run(self._listen())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End every connection, on both sides."""
        try:
            self._thread.run(self._close())
        finally:
            self._thread.__exit__(kind, error, trace)

    def cut(self, *, only_from_server: bool = False) -> float:
        """Lose everything from now on, in both directions; returns when, as `time.monotonic()`.

        Nothing is closed. What the network had taken before may still arrive. A connection that is
        begun while it is cut is accepted, and then nobody answers.

        Args:
            only_from_server: lose only what the server sends, so that it still hears the pages.

        Raises:
            LabError: it is cut already.
        """
        return self._thread.run(self._cut(only_from_server))

    def mend(self, *, tell_pages: bool = True) -> None:
        """Let new connections through again; those that were cut, or begun meanwhile, are dead.

        Their pages are told, abruptly, as by a system whose network has changed; so a file that was
        being fetched fails, where TCP itself would have gone on. The server is not told, and hears
        no more on them: it has to notice by itself, or by the page's coming back.

        Args:
            tell_pages: False leaves the pages in the dark, too, as by a router that has forgotten
                a connection.
        """
        self._thread.run(self._mend(tell_pages))

    def ended_by_server(self, timeout_s: float) -> list[float]:
        """How long after the last cut the server ended each WebSocket that was open then, seconds.

        That is when the end of the server's stream was seen here: as soon as it came, cut or not.
        In ascending order. What else browsers keep open for later requests does not count.

        Args:
            timeout_s: seconds to wait, from now on, until the server has ended all of them.

        Raises:
            NotReached: it has not ended all of them; with how many are left.
            LabError: the network was never cut.
        """
        return until(
            self._lines.delays,
            what="the server ending all that was cut",
            timeout_s=timeout_s,
            instead=self._lines.left,
        )

    def passed(self) -> Passed:
        """How many bytes have come from the pages and from the server so far."""
        return self._thread.run(self._count())

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        # A loop's own time is `time.monotonic()`.
        self._lines = Lines(loop.time)
        self._listener = await loop.create_server(self._accept, LOOPBACK, 0)
        self._port = self._listener.sockets[0].getsockname()[1]

    def _accept(self) -> asyncio.Protocol:
        line = self._lines.begin()
        if not self._lines.is_cut:
            dial = asyncio.create_task(self._dial(line))
            self._dials.add(dial)
            dial.add_done_callback(self._dials.discard)
        return line.page

    async def _dial(self, line: Line) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: line.server, *self._server)
        except OSError:
            line.page.abort()

    async def _cut(self, only_from_server: bool) -> float:
        return self._lines.cut(only_from_server=only_from_server)

    async def _mend(self, tell_pages: bool) -> None:
        self._lines.mend(tell_pages=tell_pages)

    async def _count(self) -> Passed:
        return self._lines.passed()

    async def _close(self) -> None:
        self._port = 0
        self._listener.close()
        for dial in self._dials:
            dial.cancel()
        await asyncio.gather(*self._dials, return_exceptions=True)
        self._lines.abort()
