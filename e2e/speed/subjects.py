"""What is measured: our server and the baselines, each a process with its CPU time and memory."""

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from app.lab.admin import select
from app.lab.errors import LabError
from app.lab.server import ServerProcess
from app.lab.tether import tethered

HERE = Path(__file__).resolve().parent
PING_INTERVAL_S, PING_TIMEOUT_S = 25, 60
"""Heartbeats that do not disturb a measurement of some seconds."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A running server.

    Attributes:
        name: "ours", "bare" or "node".
        url: its address.
        process: the process that serves.
        losses: reads when each loss was noticed, in UTC seconds by session id.
    """

    name: str
    url: str
    process: psutil.Process
    losses: Callable[[], Mapping[str, float]] = dict

    def cpu_s(self) -> float:
        """Seconds of CPU time that the process has used so far, in user and kernel."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def memory_bytes(self) -> int:
        """Its resident memory now."""
        return int(self.process.memory_info().rss)


@contextmanager
def ours(study: Path, folder: Path, **settings: object) -> Iterator[Subject]:
    """A Grace Server on a store in a file, as it is served."""
    heartbeats = {"ping_interval_s": PING_INTERVAL_S, "ping_timeout_s": PING_TIMEOUT_S}
    with ServerProcess(study, folder, {**heartbeats, **settings}) as server:
        admin = server.admin

        def losses() -> Mapping[str, float]:
            lost = select(admin.events(), "link_lost")
            return {entry["session_id"]: entry["at"] for entry in lost}

        yield Subject("ours", server.url, psutil.Process(server.process_id), losses)


@contextmanager
def bare(
    ping_interval_s: int = PING_INTERVAL_S, ping_timeout_s: float = PING_TIMEOUT_S
) -> Iterator[Subject]:
    """A bare Flask-SocketIO server; see `bare_server.py`."""
    script = [sys.executable, str(HERE / "bare_server.py")]
    with _started("bare", [*script, str(ping_interval_s), str(ping_timeout_s)]) as subject:

        def losses() -> Mapping[str, float]:
            with urllib.request.urlopen(f"{subject.url}/lost", timeout=10) as answer:  # noqa: S310
                found: dict[str, float] = json.load(answer)
            return found

        yield replace(subject, losses=losses)


@contextmanager
def node() -> Iterator[Subject | None]:
    """Node.js's socket.io; None where Node.js or the package is not there."""
    program = shutil.which("node")
    if program is None or not (HERE.parents[1] / "node_modules" / "socket.io").is_dir():
        yield None
        return
    script = [program, str(HERE / "node_server.mjs")]
    with _started("node", [*script, str(PING_INTERVAL_S), str(PING_TIMEOUT_S)]) as subject:
        yield subject


@contextmanager
def _started(name: str, command: list[str]) -> Iterator[Subject]:
    with subprocess.Popen(tethered(command), stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line.startswith("ready: "):
                raise LabError(f"the {name} server did not start: {line!r}")
            yield Subject(name, line.split()[1], psutil.Process(process.pid))
        finally:
            process.kill()
