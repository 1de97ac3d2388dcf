"""The log is one JSON object a line, on standard error."""

import errno
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from app.logs import configure_logs


@pytest.fixture(autouse=True)
def _configuration() -> Iterator[None]:
    """Leave the logging of the other tests as it was."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was logged since the last look; nothing may stand on standard output."""
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_an_event_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Name, level, time in UTC and fields, whatever characters are in them."""
    configure_logs()
    structlog.get_logger("grace").info("link_lost", reason="ping timeout\n", label="Zoë")
    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "link_lost",
        "level": "info",
        "reason": "ping timeout\n",
        "label": "Zoë",
    }


def test_an_exception_is_in_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A traceback does not break the line it belongs to."""
    configure_logs()
    try:
        raise ValueError("a fault")
    except ValueError:
        structlog.get_logger("grace").exception("message_failed")
    (line,) = lines(capsys)
    assert line["level"] == "error"
    assert "ValueError: a fault" in line["exception"]


def test_the_level_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    """What is below the level is not written."""
    configure_logs(logging.WARNING)
    logger = structlog.get_logger("grace")
    logger.info("session_opened")
    logger.warning("message_refused")
    assert [line["event"] for line in lines(capsys)] == ["message_refused"]


class FullDisk(io.StringIO):
    """A stream that takes nothing any more."""

    def write(self, text: str) -> int:
        """Fail as a file on it does."""
        raise OSError(errno.ENOSPC, "No space left on device")

    def flush(self) -> None:
        """Fail as a file on it does."""
        raise OSError(errno.ENOSPC, "No space left on device")


def test_what_cannot_be_written_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full costs the line and nothing else: whoever logs goes on."""
    monkeypatch.setattr("sys.stderr", FullDisk())
    configure_logs()
    structlog.get_logger("grace").info("link_lost")
