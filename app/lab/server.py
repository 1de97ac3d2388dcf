"""The server under test: a process that waits for its ready line and shows its log on failure."""

import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from app.lab.admin import AdminClient
from app.lab.errors import LabError, NotReached, ServerFailed
from app.lab.tether import tethered
from app.lab.waiting import until
from app.settings import Settings

SETTING_PREFIX = "GRACE_"
READY_LINE = re.compile(r"^Grace Server ready: (http://\S+?)/?\s*$", re.MULTILINE)

START_TIMEOUT_S = 60.0
"""Seconds to the ready line: the server first runs each environment of the study once."""

STOP_TIMEOUT_S = 10.0
"""Seconds from SIGTERM to the end of the process, which is what operators are promised."""


def ready_url(output: str) -> str | None:
    """The address in the ready line of a server's standard output, or None when it has none yet.

    Args:
        output: all that was written so far; the last line may be unfinished.
    """
    whole_lines = output[: output.rfind("\n") + 1]
    found = READY_LINE.search(whole_lines)
    return found.group(1) if found else None


def option(name: str, value: object) -> list[str]:
    """The command line for one setting, as `grace-server serve` takes it.

    Args:
        name: the field of `app.settings.Settings`.
        value: its value; a switch that is on is the default and needs no option.

    Raises:
        LabError: there is no such setting.
    """
    if name not in Settings.model_fields:
        raise LabError(f"there is no setting {name}")
    dashed = name.removesuffix("_s").replace("_", "-")
    if isinstance(value, bool):
        return [] if value else [f"--no-{dashed}"]
    return [f"--{dashed}", str(value)]


class ServerProcess:
    """A Grace Server in a process of its own, from its ready line to its end.

    A context manager: entering starts it and waits until it is ready, leaving stops it. It has a
    free port, its own store and its own admin token, and takes no setting from the environment.
    After `kill()`, `start()` begins it again at the same address, on the same store. On Linux it is
    killed when the thread that started it ends without having stopped it.

    Args:
        study: the study file or folder to serve.
        folder: an empty folder for its store and its logs; it is also its working directory.
        settings: fields of `app.settings.Settings` that differ from their defaults.
    """

    def __init__(
        self, study: Path, folder: Path, settings: Mapping[str, object] | None = None
    ) -> None:
        self._folder = folder
        self._token = secrets.token_urlsafe(16)
        self._process: subprocess.Popen[bytes] | None = None
        self._study = study.resolve()
        self._settings = {
            "port": 0,
            "store": f"sqlite:///{folder / 'grace.db'}",
            **(settings or {}),
        }
        self.url = ""
        self.admin = AdminClient("", self._token)

    def __enter__(self) -> Self:
        """Start it; see `start()`."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop it; an error that is already on its way is not replaced by one about stopping."""
        if kind is None:
            self.stop()
        else:
            self.kill()

    @property
    def process_id(self) -> int:
        """The id of the running process.

        Raises:
            LabError: it does not run.
        """
        if self._process is None:
            raise LabError("the server does not run")
        return self._process.pid

    @property
    def command(self) -> list[str]:
        """The command line that it is started with."""
        options = [word for name, value in self._settings.items() for word in option(name, value)]
        return [sys.executable, "-m", "app.cli", "serve", str(self._study), *options]

    def start(self) -> None:
        """Start it and wait for the ready line.

        Raises:
            ServerFailed: it ended, or said nothing in time; with its log.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._out.open("ab") as out, self._err.open("ab") as err:
            said_before = out.tell()
            process = self._process = subprocess.Popen(
                tethered(self.command),
                cwd=self._folder,
                env=self.environment(),
                stdout=out,
                stderr=err,
            )

        def look() -> str | None:
            url = ready_url(self._out.read_bytes()[said_before:].decode(errors="replace"))
            if url is None and process.poll() is not None:
                raise ServerFailed(f"it ended with exit status {process.returncode}", "")
            return url

        try:
            self.url = until(look, what="the ready line", timeout_s=START_TIMEOUT_S)
        except (NotReached, ServerFailed) as error:
            self.kill()
            raise ServerFailed(f"the server did not start: {error}", self.log()) from error
        except BaseException:
            self.kill()
            raise
        self._settings["port"] = urlsplit(self.url).port
        self.admin = AdminClient(self.url, self._token)

    def kill(self) -> None:
        """End it with SIGKILL, as a crash does; nothing happens when it does not run."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def stop(self) -> None:
        """End it with SIGTERM; nothing happens when it was stopped before.

        Raises:
            ServerFailed: it did not end in `STOP_TIMEOUT_S`, or not with exit status 0.
        """
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired as late:
            process.kill()
            process.wait()
            raise ServerFailed(
                f"the server was still there {STOP_TIMEOUT_S:g} s after SIGTERM", self.log()
            ) from late
        if status != 0:
            raise ServerFailed(f"the server ended with exit status {status}", self.log())

    def log(self, last_lines: int = 200) -> str:
        """The end of its standard output and of its standard error, for people.

        Args:
            last_lines: lines of each, at most.
        """
        parts = []
        for title, file in (("standard output", self._out), ("standard error", self._err)):
            text = file.read_text(errors="replace") if file.exists() else ""
            parts.append(f"--- {title}\n" + "\n".join(text.splitlines()[-last_lines:]))
        return "\n".join(parts)

    def environment(self) -> dict[str, str]:
        """The process's environment: ours without any setting of the developer's own."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(SETTING_PREFIX)
        }
        # The working directory is a folder of its own, where a checkout that is not installed
        # would not be found.
        source = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, (source, inherited.get("PYTHONPATH"))))
        token = {f"{SETTING_PREFIX}ADMIN_TOKEN": self._token}
        return {**inherited, **token, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}

    @property
    def _out(self) -> Path:
        return self._folder / "server.out"

    @property
    def _err(self) -> Path:
        return self._folder / "server.err"
