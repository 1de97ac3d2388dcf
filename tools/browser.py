"""Make sure that there is a Chromium for the end-to-end tests, installing one where there is none.

Run it as `python tools/browser.py` where `grace-server[lab]` is installed. `app.lab.chromium` knows
where to look; what is tried after that is Playwright's download, then Debian's package.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

from app.lab.chromium import find_chromium, starts
from app.lab.errors import BrowserFailed

INSTALL_TIMEOUT_S = 300
"""One command of an installation may take so long; a network may drop what it refuses."""


def works() -> bool:
    """Tell whether a Chromium is found and starts: one may be there without its libraries."""
    chromium = find_chromium()
    return chromium is not None and starts(chromium)


def ways_to_install() -> Iterator[list[list[str]]]:
    """Yield the ways to install a Chromium, the least intrusive first; a way is a few commands."""
    playwright = [sys.executable, "-m", "playwright"]
    yield [[*playwright, "install", "chromium"]]
    if not shutil.which("apt-get"):
        return
    if os.geteuid() == 0:
        prefix = []
    elif shutil.which("sudo"):
        prefix = ["sudo", "--non-interactive"]
    else:
        return
    if find_chromium() is not None:
        yield [[*prefix, *playwright, "install-deps", "chromium"]]
    apt_get = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    yield [[*apt_get, "update"], [*apt_get, "install", "--yes", "chromium"]]


def main() -> None:
    """Find or install a Chromium; exit with a sentence when that is impossible."""
    try:
        if works():
            return
    except BrowserFailed as error:
        raise SystemExit(str(error)) from None
    for commands in ways_to_install():
        for command in commands:
            print("No Chromium yet. Trying:", *command, flush=True)
            with contextlib.suppress(subprocess.TimeoutExpired):
                subprocess.run(command, check=False, timeout=INSTALL_TIMEOUT_S)
        if works():
            return
    raise SystemExit(
        "No Chromium was found, and none could be installed. Install one, "
        "or set GRACE_CHROMIUM to the path of one."
    )


if __name__ == "__main__":
    main()
