"""Finding a Chromium, with an environment that is made up."""

from pathlib import Path

import pytest

from app.lab.chromium import find_chromium, launch_arguments, starts
from app.lab.errors import BrowserFailed


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
