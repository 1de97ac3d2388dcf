"""The parts of the server process that need no process."""

from pathlib import Path

import pytest

from app.lab.errors import LabError
from app.lab.server import ServerProcess, option, ready_url


@pytest.mark.parametrize(
    ("output", "url"),
    [
        ("Grace Server ready: http://127.0.0.1:4321\n", "http://127.0.0.1:4321"),
        ("Grace Server ready: http://127.0.0.1:4321/\n", "http://127.0.0.1:4321"),
        ("first\nGrace Server ready: http://[::1]:80\nAdmin: http://x/\n", "http://[::1]:80"),
        ("Grace Server ready: http://127.0.0.1:43", None),
        ("not Grace Server ready: http://127.0.0.1:1\n", None),
        ("", None),
    ],
)
def test_ready_line(output: str, url: str | None) -> None:
    """The address is read from the whole ready line, and from no unfinished one."""
    assert ready_url(output) == url


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ping_interval_s", 8, ["--ping-interval", "8"]),
        ("loading_timeout_s", 2.5, ["--loading-timeout", "2.5"]),
        ("input_delay_frames", 3, ["--input-delay-frames", "3"]),
        ("loading_grace", False, ["--no-loading-grace"]),
        ("preload", True, []),
    ],
)
def test_option(name: str, value: object, words: list[str]) -> None:
    """A setting becomes its option: the unit is dropped, a switch is on unless said otherwise."""
    assert option(name, value) == words


def test_unknown_setting() -> None:
    """A setting that does not exist is refused before a server starts."""
    with pytest.raises(LabError, match="no setting ping_intervall_s"):
        option("ping_intervall_s", 8)


def test_command_line(tmp_path: Path) -> None:
    """A server under test gets a free port and a store of its own, before what it was given."""
    server = ServerProcess(tmp_path / "study.py", tmp_path, {"ping_timeout_s": 8})
    assert server.command[1:] == [
        *("-m", "app.cli", "serve", str(tmp_path / "study.py"), "--port", "0"),
        *("--store", f"sqlite:///{tmp_path / 'grace.db'}", "--ping-timeout", "8"),
    ]


def test_settings_of_the_developer_do_not_leak(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process sees none of our own GRACE_ variables but its admin token."""
    monkeypatch.setenv("GRACE_LOADING_GRACE", "false")
    environment = ServerProcess(tmp_path, tmp_path).environment()
    assert [name for name in environment if name.startswith("GRACE_")] == ["GRACE_ADMIN_TOKEN"]


def test_log_before_it_started(tmp_path: Path) -> None:
    """The log of a server that was never started is empty, not an error."""
    assert "standard output" in ServerProcess(tmp_path, tmp_path).log()
