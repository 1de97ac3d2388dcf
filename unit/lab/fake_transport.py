"""A transport without a socket: the test lets things arrive, and sees what is sent."""

import asyncio


class FakeTransport(asyncio.Transport):
    """A connection of a protocol, made at once.

    Attributes:
        sent: all the bytes that were sent.
        is_paused: whether nothing is taken from the network.
        has_sent_eof: whether the stream was ended.
        ended: how it was closed: `closed`, `aborted` or `lost`; empty while it is open.
    """

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.sent = b""
        self.is_paused = False
        self.has_sent_eof = False
        self.ended = ""
        self._protocol = protocol
        protocol.connection_made(self)

    @property
    def is_read(self) -> bool:
        """Whether what arrives is taken."""
        return not (self.is_paused or self.ended)

    @property
    def was_told(self) -> bool:
        """Whether the peer has been told that nothing more comes."""
        return self.has_sent_eof or bool(self.ended)

    def arrive(self, data: bytes) -> None:
        """Let the peer say that; only where it is read."""
        assert self.is_read
        self._protocol.data_received(data)

    def arrive_eof(self) -> None:
        """Let the peer end its stream."""
        assert self.is_read
        if not self._protocol.eof_received():
            self.close()

    def arrive_reset(self) -> None:
        """Let the peer break the connection."""
        self._end("lost", ConnectionResetError())

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        assert not self.was_told
        self.sent += data

    def write_eof(self) -> None:
        """Keep that it was done."""
        self.has_sent_eof = True

    def pause_reading(self) -> None:
        """Take nothing from the network."""
        self.is_paused = True

    def resume_reading(self) -> None:
        """Take again what the network has."""
        self.is_paused = False

    def close(self) -> None:
        """Close it after what is to be sent."""
        self._end("closed", None)

    def abort(self) -> None:
        """Close it at once."""
        self._end("aborted", None)

    def _end(self, how: str, error: Exception | None) -> None:
        if not self.ended:
            self.ended = how
            self._protocol.connection_lost(error)
