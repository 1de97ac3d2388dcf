"""The log is one JSON object a line, on standard error."""

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
