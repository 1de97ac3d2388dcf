"""Finding a Chromium, with an environment that is made up, and sending signals to one."""

from collections.abc import Iterator
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP
from typing import cast

import pytest
from playwright.sync_api import Playwright

from app.lab.chromium import Chromium, find_chromium, kept_profile, launch_arguments, starts
from app.lab.errors import BrowserFailed
from unit.lab.fake_playwright import FakePlaywright


def only(*commands: str) -> dict[str, str]:
    """A path with these commands and no other."""
    return {command: f"/somewhere/{command}" for command in commands}


def test_the_named_one_comes_first(tmp_path: Path) -> None:
    """GRACE_CHROMIUM goes before everything on the path."""
    named = tmp_path / "browser"
    named.touch()
    found = find_chromium({"GRACE_CHROMIUM": str(named)}, only("chromium").get)
    assert found == named


def test_a_named_one_that_is_missing_is_refused(tmp_path: Path) -> None:
    """No other browser takes the place of the one that somebody has named."""
    with pytest.raises(BrowserFailed, match="which is no file"):
        find_chromium({"GRACE_CHROMIUM": str(tmp_path / "none")}, only("chromium").get)


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        (("google-chrome", "chromium"), "/somewhere/chromium"),
        (("google-chrome", "chromium-browser"), "/somewhere/chromium-browser"),
        (("google-chrome",), "/somewhere/google-chrome"),
    ],
)
def test_the_path_is_next(commands: tuple[str, ...], expected: str) -> None:
    """Of the commands on the path, a Chromium is preferred to a Chrome."""
    assert find_chromium({}, only(*commands).get, starts=lambda path: True) == Path(expected)


def test_one_that_does_not_start_is_passed_over(tmp_path: Path) -> None:
    """Some distributions have a command of that name which only tells what to install."""
    found = find_chromium(
        {},
        only("chromium-browser", "google-chrome").get,
        starts=lambda path: path.name == "google-chrome",
    )
    assert found == Path("/somewhere/google-chrome")
    assert not starts(tmp_path / "missing")


def test_playwrights_own_is_last(tmp_path: Path) -> None:
    """Playwright's download is used when there is one and nothing else."""
    own = tmp_path / "chrome"
    own.touch()
    assert find_chromium({}, only().get, lambda: str(own)) == own


def test_none_is_none(tmp_path: Path) -> None:
    """A download that Playwright names but has not made is no Chromium."""
    assert find_chromium({}, only().get, lambda: str(tmp_path / "missing")) is None


def test_the_sandbox_is_given_up_for_root_only() -> None:
    """Only root starts Chromium without its sandbox."""
    assert "--no-sandbox" in launch_arguments(0)
    assert "--no-sandbox" not in launch_arguments(1000)


PROCESSES = {7: "browser", 9: "renderer", 8: "NetworkService"}


class Signals:
    """What processes were sent, in order.

    Attributes:
        sent: `(process id, signal)`.
        gone: ids of processes that have ended.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[int, int]] = []
        self.gone: set[int] = set()

    def send(self, process_id: int, number: int) -> None:
        """Keep it; fail when the process has ended, as `os.kill` does."""
        if process_id in self.gone:
            raise ProcessLookupError
        self.sent.append((process_id, number))

    def to(self, process_id: int) -> list[int]:
        """The signals that one process was sent."""
        return [number for one, number in self.sent if one == process_id]


@pytest.fixture
def signals() -> Signals:
    """No process was sent anything yet."""
    return Signals()


@pytest.fixture
def playwright() -> FakePlaywright:
    """A Playwright whose Chromium has these processes."""
    return FakePlaywright(PROCESSES)


@pytest.fixture
def chromium(
    playwright: FakePlaywright, signals: Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Chromium]:
    """A Chromium that runs."""
    named = tmp_path / "browser"
    named.touch()
    monkeypatch.setenv("GRACE_CHROMIUM", str(named))
    with Chromium(cast(Playwright, playwright), signals.send) as running:
        yield running


def test_who_is_killed_cannot_say_goodbye(chromium: Chromium, signals: Signals) -> None:
    """The network service, which would say it for the others, goes first."""
    chromium.kill()
    assert signals.sent == [(8, SIGKILL), (7, SIGKILL), (9, SIGKILL)]


def test_all_of_it_is_stopped_for_a_while(chromium: Chromium, signals: Signals) -> None:
    """Every process is stopped in the block, and goes on after it."""
    with chromium.stopped():
        assert sorted(signals.sent) == [(number, SIGSTOP) for number in (7, 8, 9)]
    assert all(signals.to(number) == [SIGSTOP, SIGCONT] for number in PROCESSES)


def test_it_goes_on_whatever_happens(chromium: Chromium, signals: Signals) -> None:
    """After an error in the block, too, and when a process has ended meanwhile."""

    def fail_while_stopped() -> None:
        with chromium.stopped():
            signals.gone.add(8)
            raise KeyError

    with pytest.raises(KeyError):
        fail_while_stopped()
    assert [signals.to(number) for number in (7, 8, 9)] == [
        [SIGSTOP, SIGCONT], [SIGSTOP], [SIGSTOP, SIGCONT],
    ]  # fmt: skip


def test_a_stopped_browser_is_asked_nothing(
    chromium: Chromium, playwright: FakePlaywright, signals: Signals
) -> None:
    """Which processes it has is asked once, before any of them is stopped."""
    with chromium.stopped():
        assert signals.to(7) == [SIGSTOP]
    assert playwright.asked == ["SystemInfo.getProcessInfo"]


def test_one_that_does_not_run_cannot_be_stopped(playwright: FakePlaywright) -> None:
    """There is no process yet."""
    with pytest.raises(BrowserFailed, match="not running"):
        Chromium(cast(Playwright, playwright)).kill()


def test_a_profile_is_kept(
    playwright: FakePlaywright, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each browser on it is closed at the end, also of a block that fails."""
    named = tmp_path / "browser"
    named.touch()
    monkeypatch.setenv("GRACE_CHROMIUM", str(named))
    profile, wrapper = tmp_path / "profile", tmp_path / "wrapper"
    with kept_profile(cast(Playwright, playwright), profile):
        assert playwright.closed == 0

    def fail_in_browser() -> None:
        with kept_profile(cast(Playwright, playwright), profile, wrapper):
            raise KeyError

    with pytest.raises(KeyError):
        fail_in_browser()
    assert playwright.profiles == [profile, profile]
    assert playwright.started == [named, wrapper]
    assert playwright.closed == 2


def test_one_that_does_not_start_is_named(playwright: FakePlaywright, tmp_path: Path) -> None:
    """What was started, and why it did not."""
    playwright.refuses = True
    with (
        pytest.raises(BrowserFailed, match="wrapper does not start: no such library"),
        kept_profile(cast(Playwright, playwright), tmp_path, tmp_path / "wrapper"),
    ):
        pass
