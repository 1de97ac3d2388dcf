"""Tells the short text frames that pages send all the time from everything else.

wsproto reads every frame as carefully as RFC 6455 wants it read, which costs more than all that is
done with a player's action. A short text message in one frame needs none of that care, and neither
does the answer to a ping.
"""

FIN_TEXT, FIN_PONG, MASKED = 0x81, 0x8A, 0x80
OPCODE, FIN, CONTINUATION, TEXT, BINARY = 0x0F, 0x80, 0x0, 0x1, 0x2
TWO_BYTES, EIGHT_BYTES = 126, 127
MASK_BYTES = 4


class FrameSplitter:
    """Splits what a browser sends into short text messages and bytes for a whole parser.

    Both come out in their order; frames are never torn apart, so the parser sees a stream without
    the messages that were taken out of it. Pongs without payload come out as nothing.
    """

    __slots__ = ("_buffer", "_in_fragments", "_through")

    def __init__(self) -> None:
        self._buffer = b""
        self._through = 0
        self._in_fragments = False

    def feed(self, data: bytes) -> list[str | bytes]:
        """Take bytes; returns messages (str) and bytes for the parser, in order."""
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        out: list[str | bytes] = []
        at, end = 0, len(data)
        while at < end:
            if self._through:
                taken = data[at : at + self._through]
                self._through -= len(taken)
                at += len(taken)
                out.append(taken)
                continue
            header = _header(data, at)
            if header is None:
                self._buffer = data[at:]
                break
            size, length = header
            if data[at] == FIN_PONG and data[at + 1] == MASKED:
                # The answer to a ping of ours. That it came is all that it says.
                if at + size > end:
                    self._buffer = data[at:]
                    break
                at += size
            elif self._is_short_text(data[at], data[at + 1]):
                if at + size > end:
                    self._buffer = data[at:]
                    break
                try:
                    out.append(_unmasked(data, at + size - length, length))
                except UnicodeDecodeError:
                    # The parser knows how to refuse it.
                    out.append(data[at : at + size])
                at += size
            else:
                self._note_fragments(data[at])
                self._through = size
        return out

    def _is_short_text(self, first: int, second: int) -> bool:
        # A length that is written in more bytes than it needs is illegal, and left to the parser.
        short = MASKED <= second < MASKED + TWO_BYTES
        return first == FIN_TEXT and short and not self._in_fragments

    def _note_fragments(self, first: int) -> None:
        if first & OPCODE in (CONTINUATION, TEXT, BINARY):
            self._in_fragments = not first & FIN


def _header(data: bytes, at: int) -> tuple[int, int] | None:
    """The size of the frame that begins at `at`, and of its payload; None without its header."""
    if len(data) < at + 2:
        return None
    second = data[at + 1]
    length, header = second & 0x7F, 2
    if length == TWO_BYTES:
        header = 4
    elif length == EIGHT_BYTES:
        header = 10
    if len(data) < at + header:
        return None
    if header > 2:
        length = int.from_bytes(data[at + 2 : at + header])
    if second & MASKED:
        header += MASK_BYTES
    return header + length, length


def _unmasked(data: bytes, at: int, length: int) -> str:
    mask = data[at - MASK_BYTES : at] * (length // MASK_BYTES + 1)
    plain = int.from_bytes(data[at : at + length]) ^ int.from_bytes(mask[:length])
    return plain.to_bytes(length).decode()
