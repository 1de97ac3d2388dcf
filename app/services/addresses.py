"""What one remote address may do, so that a stranger cannot use the server up for everybody.

A lab, a school or a mobile network is often behind one address. So nobody is refused who knows a
token; what is counted is what a stranger needs no knowledge for, and the limits let a lab begin.
Pure: the present is passed in.
"""

import ipaddress
from dataclasses import dataclass

from app.services.rate import TokenBucket


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one address; `addresses` is how many are remembered."""

    sessions_per_s: float = 20.0
    sessions_burst: float = 2_000.0
    guesses_per_s: float = 2.0
    guesses_burst: float = 400.0
    sockets: int = 1_000
    addresses: int = 10_000


class Addresses:
    """The table of addresses.

    It is bounded: to remember one more, the one that was quiet for longest is forgotten, and has
    everything again. Whoever has so many addresses is stopped by none of this.

    Args:
        limits: what each address may do.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        # In the order in which they were last heard of.
        self._entries: dict[str, _Entry] = {}

    def may_begin(self, address: str, now: float) -> bool:
        """Count a new session from this address at `now` seconds; False when it is one too many."""
        return self._entry(address, now).sessions.take(now)

    def may_guess(self, address: str, now: float) -> bool:
        """Count a credential that nobody has; False when it is one too many."""
        return self._entry(address, now).guesses.take(now)

    def opened(self, address: str, socket: str, now: float) -> str | None:
        """Count a socket without a session; returns the oldest one when there are too many now.

        A new one is always let in: whoever opened it may be about to show a token.
        """
        sockets = self._entry(address, now).sockets
        sockets[socket] = None
        if len(sockets) <= self._limits.sockets:
            return None
        oldest = next(iter(sockets))
        # Not named again, should it be slow to end.
        del sockets[oldest]
        return oldest

    def settled(self, address: str, socket: str) -> None:
        """A socket that was counted has a session now, or has ended."""
        entry = self._entries.get(source_of(address))
        # It may have been forgotten, and begun anew, while the socket was open.
        if entry is not None:
            entry.sockets.pop(socket, None)

    def __len__(self) -> int:
        return len(self._entries)

    def _entry(self, address: str, now: float) -> "_Entry":
        source = source_of(address)
        entry = self._entries.pop(source, None)
        if entry is None:
            if len(self._entries) >= self._limits.addresses:
                del self._entries[next(iter(self._entries))]
            entry = _Entry(self._limits, now)
        self._entries[source] = entry
        return entry


class _Entry:
    """What one address has left."""

    __slots__ = ("guesses", "sessions", "sockets")

    def __init__(self, limits: Limits, now: float) -> None:
        self.sessions = TokenBucket(limits.sessions_per_s, limits.sessions_burst, now)
        self.guesses = TokenBucket(limits.guesses_per_s, limits.guesses_burst, now)
        # Only the keys count: a set that remembers the order in which they came.
        self.sockets: dict[str, None] = {}


def source_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or the IPv6 network that one customer is given.

    A host makes as many addresses of its /64 as it likes (RFC 8981). An IPv4 address is the same
    when a socket for both families reports it as `::ffff:192.0.2.1` (RFC 4291, 2.5.5.2).
    """
    if ":" not in address:
        return address
    try:
        full = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    if full.ipv4_mapped is not None:
        return str(full.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(full) >> 64 << 64, 64)))
