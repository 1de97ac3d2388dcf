"""The connections that lead through a network, and what is lost on them; knows no socket.

`app.lab.network` gives each end its transport.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from app.lab.errors import LabError

UPGRADED = b"HTTP/1.1 101"
"""How the answer begins that makes a connection a WebSocket (RFC 6455, 4.2.2)."""


@dataclass(frozen=True, slots=True)
class Passed:
    """Bytes that arrived at a network, without what TCP and IP put around them.

    Attributes:
        from_pages: what pages sent.
        from_server: what the server sent.
    """

    from_pages: int
    from_server: int

    @property
    def total(self) -> int:
        """Both directions together."""
        return self.from_pages + self.from_server


class End(asyncio.Protocol):
    """One end of a line: what arrives here leaves at the other end, unless this one is cut.

    Attributes:
        other: the other end.
        is_cut: whether what arrives here is lost; that it ends, too.
        is_made: whether there is, or was, a connection.
        is_lost: whether the connection is over, in both directions.
        begins_with: the first bytes that arrived.
        arrived_bytes: how many bytes arrived, those that were lost too.
        ended_at: when it was seen that nothing more arrives; None before.
    """

    other: "End"
    _transport: asyncio.Transport

    def __init__(self, now: Callable[[], float], on_lost: Callable[[], None]) -> None:
        self.is_cut = False
        self.is_made = False
        self.is_lost = False
        self.begins_with = b""
        self.arrived_bytes = 0
        self.ended_at: float | None = None
        self._now = now
        self._on_lost = on_lost
        self._is_refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take nothing until there is another end to give it to."""
        self._transport = cast(asyncio.Transport, transport)
        self.is_made = True
        if self.other.is_lost or self._is_refused:
            self._transport.abort()
        elif self.other.is_made:
            self.other._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        """Pass it on."""
        self.begins_with = self.begins_with or data[: len(UPGRADED)]
        self.arrived_bytes += len(data)
        if not (self.is_cut or self.other.is_lost):
            self.other._transport.write(data)

    def eof_received(self) -> bool:
        """Pass it on; False when nothing goes the other way any more, which closes this end."""
        self._note_the_end()
        if self.is_cut:
            return not self.other.is_lost
        self.other._transport.write_eof()
        return self.other.ended_at is None

    def connection_lost(self, error: Exception | None) -> None:
        """Pass it on: at once when it was reset, else after what is still to be sent."""
        self.is_lost = True
        self._note_the_end()
        # To who has ended its own stream before, a close is no news.
        if self.other.is_made and (not self.is_cut or self.other.ended_at is not None):
            if error is None:
                self.other._transport.close()
            else:
                self.other._transport.abort()
        self._on_lost()

    def pause_writing(self) -> None:
        """Let who sends wait for who reads."""
        if not self.other.is_cut:
            self.other._transport.pause_reading()

    def resume_writing(self) -> None:
        """Let who sends go on."""
        self.other._transport.resume_reading()

    def cut(self) -> None:
        """Lose what arrives from now on; it is still read, so that its end is seen."""
        self.is_cut = True
        if self.is_made and self.other.is_made:
            self._transport.resume_reading()

    def abort(self) -> None:
        """Close the connection with nothing more sent; one that is still to come, as it comes."""
        self._is_refused = True
        if self.is_made:
            self._transport.abort()

    def _note_the_end(self) -> None:
        if self.ended_at is None:
            self.ended_at = self._now()


class Line:
    """One connection through the network.

    Args:
        now: reads a monotonic clock, seconds.
        on_over: called when both ends are lost.

    Attributes:
        page: the end towards the page.
        server: the end towards the server.
    """

    def __init__(self, now: Callable[[], float], on_over: Callable[["Line"], None]) -> None:
        def look() -> None:
            if self.page.is_lost and (self.server.is_lost or not self.server.is_made):
                on_over(self)

        self.page = End(now, look)
        self.server = End(now, look)
        self.page.other, self.server.other = self.server, self.page

    @property
    def is_open_websocket(self) -> bool:
        """Whether it carries a WebSocket that the server has not ended."""
        return self.server.begins_with == UPGRADED and self.server.ended_at is None


class Lines:
    """All lines of a network, cut and mended together.

    Args:
        now: reads a monotonic clock, seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lines: set[Line] = set()
        self._passed = Passed(0, 0)
        self._cut_at: float | None = None
        self._watched: list[Line] = []
        self.is_cut = False

    def __len__(self) -> int:
        return len(self._lines)

    def begin(self) -> Line:
        """Begin a new line; one that begins while the network is cut leads nowhere."""
        line = Line(self._now, self._forget)
        self._lines.add(line)
        if self.is_cut:
            line.page.cut()
            line.server.cut()
        return line

    def cut(self, *, only_from_server: bool) -> float:
        """See `Network.cut()`."""
        if self.is_cut:
            raise LabError("the network is cut already")
        self.is_cut = True
        self._cut_at = self._now()
        self._watched = [
            line for line in self._lines if line.is_open_websocket and not line.server.is_cut
        ]
        for line in self._lines:
            line.server.cut()
            if not only_from_server:
                line.page.cut()
        return self._cut_at

    def mend(self, *, tell_pages: bool = True) -> None:
        """See `Network.mend()`."""
        self.is_cut = False
        for line in tuple(self._lines):
            if line.server.is_cut:
                line.page.cut()
                if tell_pages:
                    line.page.abort()

    def delays(self) -> list[float] | None:
        """See `Network.ended_by_server()`; None when the server has not ended all yet."""
        if self._cut_at is None:
            raise LabError("the network was never cut")
        ended = [line.server.ended_at for line in self._watched]
        delays_s = [at - self._cut_at for at in ended if at is not None]
        return sorted(delays_s) if len(delays_s) == len(ended) else None

    def passed(self) -> Passed:
        """See `Network.passed()`."""
        return Passed(
            self._passed.from_pages + sum(line.page.arrived_bytes for line in self._lines),
            self._passed.from_server + sum(line.server.arrived_bytes for line in self._lines),
        )

    def left(self) -> str:
        """For people: how many of those that were cut the server has not ended."""
        still = sum(line.is_open_websocket for line in self._watched)
        return f"{still} of {len(self._watched)} WebSockets are open"

    def abort(self) -> None:
        """End all of them, both ends."""
        for line in tuple(self._lines):
            line.page.abort()
            line.server.abort()

    def _forget(self, line: Line) -> None:
        if line in self._lines:
            self._passed = Passed(
                self._passed.from_pages + line.page.arrived_bytes,
                self._passed.from_server + line.server.arrived_bytes,
            )
            self._lines.remove(line)
