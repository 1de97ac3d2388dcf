"""Logging: one JSON object a line on standard error."""

import contextlib
import logging
import sys
from typing import Any, TextIO

import structlog


class _Unfailing:
    """A stream that loses what it cannot write.

    A disk that is full, or a reader that has gone, would else fail whatever wanted to log: the
    sweeper, for one, which would end no grace from then on.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def configure_logs(level: int = logging.INFO) -> None:
    """Send our log and the libraries' warnings to standard error as JSON lines."""
    stream: Any = _Unfailing(sys.stderr)
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=stream),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=stream, format="%(message)s")
