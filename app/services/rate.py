"""How much somebody may do in a time: a token bucket."""


class TokenBucket:
    """A bucket that holds `burst` tokens and gets `per_s` new ones each second.

    Args:
        per_s: tokens added each second.
        burst: the most it holds; it begins full.
        now: the present, seconds.
    """

    __slots__ = ("_burst", "_filled_at", "_per_s", "_tokens")

    def __init__(self, per_s: float, burst: float, now: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._tokens = burst
        self._filled_at = now

    def take(self, now: float) -> bool:
        """Take one token; False when none is left."""
        elapsed = max(0.0, now - self._filled_at)
        self._tokens = min(self._burst, self._tokens + elapsed * self._per_s)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
