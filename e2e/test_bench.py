"""The bench itself: what goes wrong on a page counts, and a run that is killed leaves nothing."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.lab.bench import Bench
from app.lab.waiting import until
from e2e import endless


@pytest.mark.page_faults("ada: uncaught: no goat")
def test_uncaught_exception_is_a_fault(bench: Bench) -> None:
    """An exception that nobody catches is seen, with the page's name, and nothing else is."""
    ada = bench.participant("ada")
    with ada.page.expect_event("pageerror"):
        ada.page.evaluate("void setTimeout(() => { throw new Error('no goat') })")


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's list of processes")
@pytest.mark.parametrize(
    ("how", "status"),
    [(signal.SIGTERM, pytest.ExitCode.INTERRUPTED), (signal.SIGKILL, -signal.SIGKILL)],
    ids=["SIGTERM", "SIGKILL"],
)
def test_killed_run_leaves_no_process_behind(how: signal.Signals, status: int) -> None:
    """Whether a run is asked to end or killed, its server and its browser end with it."""
    command = [sys.executable, "-m", "pytest", "--quiet", "--capture=no", endless.__file__]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
    ) as run:
        assert run.stdout is not None
        assert f"{endless.RUNNING}\n" in iter(run.stdout.readline, "")
        started = {process: command_line(process) for process in descendants(run.pid)}
        for part in ("app.cli serve", "--type=renderer"):
            assert any(part in line for line in started.values())
        run.send_signal(how)
        run.communicate()
    assert run.returncode == status
    until(
        lambda: True if not any(map(is_running, started)) else None,
        what="the end of every process of the run",
        timeout_s=20,
        instead=lambda: str([started[process] for process in started if is_running(process)]),
    )


def descendants(process: int) -> Iterator[int]:
    """The ids of the processes that a process has started, and of those that they have, and so on.

    From `/proc/[pid]/task/[tid]/children` (proc_pid_task(5)).
    """
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, text_of(children).split()):
            yield child
            yield from descendants(child)


def command_line(process: int) -> str:
    """The command line of a process, with spaces in it; empty when the process has ended."""
    return text_of(Path(f"/proc/{process}/cmdline")).replace("\0", " ")


def is_running(process: int) -> bool:
    """Whether a process has not ended: a zombie has, and has no command line either."""
    return command_line(process) != ""


def text_of(file: Path) -> str:
    """What a file of a process says; nothing when the process has ended meanwhile."""
    try:
        return file.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
