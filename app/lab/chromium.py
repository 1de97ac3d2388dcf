"""A headless Chromium: finding one, starting one, killing one as a crash would, stopping one.

`python -m app.lab.chromium` prints the path of the Chromium that would be used.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    Playwright,
    ViewportSize,
    sync_playwright,
)

from app.lab.errors import BrowserFailed

ENVIRONMENT_VARIABLE = "GRACE_CHROMIUM"
NAMES_ON_PATH = ("chromium", "chromium-browser", "google-chrome")
DESK_VIEWPORT = ViewportSize(width=900, height=900)
PHONE_VIEWPORT = ViewportSize(width=390, height=844)

QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)
"""A Chromium on a closed network otherwise keeps asking for updates and accounts."""

AWAKE = (
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
)
"""Two participants cannot both be in front; a page behind must not be slowed for that."""


def playwrights_own() -> str:
    """Where Playwright's own download is, or would be; only while no Playwright is running."""
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


START_TIMEOUT_S = 60
"""Seconds in which a Chromium has to say its version."""


def starts(chromium: Path) -> bool:
    """Whether a Chromium starts at all: one may be there without its libraries."""
    try:
        answer = subprocess.run(
            [chromium, "--version"], capture_output=True, timeout=START_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def find_chromium(
    environ: Mapping[str, str] = os.environ,
    which: Callable[[str], str | None] = shutil.which,
    download: Callable[[], str] = playwrights_own,
    starts: Callable[[Path], bool] = starts,
) -> Path | None:
    """The Chromium to use: `GRACE_CHROMIUM`, else one on the path, else Playwright's own.

    One on the path that does not start is passed over: some distributions have a command there
    that only tells what to install.

    Args:
        environ: the environment variables.
        which: finds a command on the path.
        download: says where Playwright puts its own download; asked last.
        starts: tells whether a Chromium starts.

    Raises:
        BrowserFailed: `GRACE_CHROMIUM` names a file that does not exist. Another browser is not
            taken in its place, silently, when somebody has named one.
    """
    named = environ.get(ENVIRONMENT_VARIABLE)
    if named:
        if not Path(named).is_file():
            raise BrowserFailed(f"{ENVIRONMENT_VARIABLE} is {named}, which is no file")
        return Path(named)
    for command in filter(None, map(which, NAMES_ON_PATH)):
        if starts(Path(command)):
            return Path(command)
    own = Path(download())
    return own if own.is_file() else None


def launch_arguments(user_id: int) -> list[str]:
    """Chromium's command line.

    Args:
        user_id: the numeric user id it will run as. Chromium refuses its sandbox to root (0).
    """
    return [*QUIET, *AWAKE, *(["--no-sandbox"] if user_id == 0 else [])]


def the_chromium(playwright: Playwright) -> Path:
    """The Chromium to use, while a Playwright is running.

    Raises:
        BrowserFailed: there is none.
    """
    found = find_chromium(download=lambda: playwright.chromium.executable_path)
    if found is None:
        raise BrowserFailed(f"no Chromium: set {ENVIRONMENT_VARIABLE} or install one")
    return found


@contextmanager
def kept_profile(
    playwright: Playwright, profile: Path, program: Path | None = None
) -> Iterator[BrowserContext]:
    """A Chromium of its own that keeps its profile on disk, while the block lasts.

    A next one on the same profile is the same person's browser, started again: it has the storage,
    the cached files and the compiled code.

    Args:
        playwright: the running Playwright.
        profile: the profile's folder; one that is missing or empty is a new person's.
        program: what is started, such as a script that becomes Chromium; else the Chromium to use.

    Raises:
        BrowserFailed: none is found or it does not start.
    """
    program = program or the_chromium(playwright)
    try:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=program,
            args=launch_arguments(os.getuid()),
            headless=True,
            viewport=DESK_VIEWPORT,
        )
    except Error as error:
        raise BrowserFailed(f"{program} does not start: {error.message}") from error
    try:
        yield context
    finally:
        with suppress(Error):
            context.close()


class Chromium:
    """One headless Chromium, a context manager.

    Args:
        playwright: the running Playwright.
        signal_process: sends a process, by its id, a signal.

    Raises:
        BrowserFailed: on entering, when none is found or it does not start.
    """

    def __init__(
        self, playwright: Playwright, signal_process: Callable[[int, int], None] = os.kill
    ) -> None:
        self._playwright = playwright
        self._signal_process = signal_process
        self._browser: Browser | None = None

    def __enter__(self) -> Self:
        """Find it and start it."""
        kind = self._playwright.chromium
        found = the_chromium(self._playwright)
        try:
            self._browser = kind.launch(
                executable_path=found, args=launch_arguments(os.getuid()), headless=True
            )
        except Error as error:
            raise BrowserFailed(f"{found} does not start: {error.message}") from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it; one that was killed before is closed already."""
        browser, self._browser = self._browser, None
        if browser is not None:
            with suppress(Error):
                browser.close()

    def new_context(self, *, phone: bool = False, pixel_ratio: float = 1) -> BrowserContext:
        """An isolated profile, as another person's browser would be: own storage, own cache.

        Args:
            phone: small, and touched with fingers, instead of a desk's browser.
            pixel_ratio: pixels of the screen for each of CSS, along a side.
        """
        return self._running().new_context(
            viewport=PHONE_VIEWPORT if phone else DESK_VIEWPORT,
            has_touch=phone,
            is_mobile=phone,
            device_scale_factor=pixel_ratio,
        )

    def kill(self) -> None:
        """End every process of it at once, as a power cut does: nobody can say goodbye.

        The network service goes first. Were the browser first, the network service would notice
        and still send the close frame 1001 (going away), as it does for a closed tab.
        """
        self._signal(self._process_ids(), signal.SIGKILL)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop every process of it while the block lasts, as on a laptop that is asleep.

        Its connections stay open, since the operating system keeps them; what comes in waits. In
        the block nothing may be asked of Playwright: its answer would be waited for without end.
        """
        process_ids = self._process_ids()
        try:
            self._signal(process_ids, signal.SIGSTOP)
            yield
        finally:
            self._signal(process_ids, signal.SIGCONT)

    def renderer_ids(self) -> list[int]:
        """The ids of the processes that pages run in."""
        return [int(one["id"]) for one in self._processes() if one["type"] == "renderer"]

    def _process_ids(self) -> list[int]:
        """Of all its processes, the network service's first."""
        processes = self._processes()
        processes.sort(key=lambda process: "NetworkService" not in process["type"])
        return [int(process["id"]) for process in processes]

    def _processes(self) -> list[dict[str, Any]]:
        session = self._running().new_browser_cdp_session()
        processes: list[dict[str, Any]] = session.send("SystemInfo.getProcessInfo")["processInfo"]
        return processes

    def _signal(self, process_ids: list[int], number: int) -> None:
        for process_id in process_ids:
            with suppress(ProcessLookupError):
                self._signal_process(process_id, number)

    def _running(self) -> Browser:
        if self._browser is None:
            raise BrowserFailed("this Chromium is not running")
        return self._browser


def main() -> int:
    """Print the Chromium that would be used; exit status 1 when there is none."""
    found = find_chromium()
    if found is None:
        return 1
    print(found)  # noqa: T201 - the answer of a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
