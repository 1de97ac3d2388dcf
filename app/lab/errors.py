"""The errors of the bench.

LabError                 base: the bench could not do what it was asked to
├── ServerFailed         the server under test did not start, or did not stop cleanly
├── BrowserFailed        no Chromium was found, or it could not be controlled
├── CpuLimitUnavailable  no control group could be made that limits CPU time
├── NotReached           a state or an event that was waited for did not come in time
└── BlockMissed          no throttle rate gave the wanted main-thread block
"""

from collections.abc import Sequence

from app.errors import GraceError


class LabError(GraceError):
    """The bench could not do what it was asked to; the message says what and where."""


class ServerFailed(LabError):
    """The server under test did not start, or did not stop cleanly.

    Attributes:
        log: what it had written to standard output and standard error.
    """

    def __init__(self, sentence: str, log: str) -> None:
        self.log = log
        super().__init__(f"{sentence}\n{log}")


class BrowserFailed(LabError):
    """No Chromium was found, or it could not be controlled."""


class CpuLimitUnavailable(LabError):
    """No control group could be made that limits CPU time, for want of rights or of Linux."""


class NotReached(LabError):
    """A state or an event that was waited for did not come in time.

    Attributes:
        what: what was waited for.
        timeout_s: seconds it was waited for.
        instead: what was there at the end.
    """

    def __init__(self, what: str, timeout_s: float, instead: str = "") -> None:
        self.what = what
        self.timeout_s = timeout_s
        self.instead = instead
        tail = f"; instead: {instead}" if instead else ""
        super().__init__(f"{what}: not within {timeout_s:g} s{tail}")


class BlockMissed(LabError):
    """No throttle rate gave the wanted main-thread block.

    Attributes:
        tried: every (throttle rate, measured block in seconds), in order.
    """

    def __init__(self, wanted: str, tried: Sequence[tuple[float, float]]) -> None:
        self.tried = tuple(tried)
        seen = ", ".join(f"{block_s:.1f} s at rate {rate:.2f}" for rate, block_s in self.tried)
        super().__init__(f"no main-thread block of {wanted}; measured {seen}")
