"""What operators do to a store, or their machine does: hold it, fill its disk, set the clock."""

import errno
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from app.sessions import Session, Step
from app.stores.sqlite import SqliteStore

HOLD = """
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
db.execute("ROLLBACK")
"""
"""Another program's write to the file, as a backup or somebody's query tool does it."""


@contextmanager
def held_store(file: Path, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
    """Another process holds the store for that long, from now on; it is waited for at the end."""
    command = [sys.executable, "-c", HOLD, str(file), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield holder
        assert holder.wait(seconds + 10) == 0


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of that size in memory; the test is skipped where none can be mounted."""
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("a small file system can only be mounted by root")
    folder.mkdir()
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip(f"no small file system: {made.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["/bin/umount", "--lazy", str(folder)], check=True)


def fill_disk(disk: Path) -> Path:
    """Leave not a byte on a file system; returns the file that takes all the room."""
    ballast = disk / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (4096, 1):
            while _was_written(file.fileno(), b"\0" * size):
                pass
    return ballast


def _was_written(file: int, data: bytes) -> bool:
    try:
        return os.write(file, data) > 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False


def set_clock_ahead(file: Path, ahead_s: float) -> None:
    """Make a store of a server that has ended one whose server's clock was that far ahead."""
    with closing(SqliteStore(file, sleep=time.sleep)) as store:
        for session in store.sessions():
            store.change(session.id, session.created_at, lambda one: Step(_later(one, ahead_s)))
        alive_at = store.alive_at()
        assert alive_at is not None
        store.mark_alive(alive_at + ahead_s)


def _later(session: Session, by_s: float) -> Session:
    def moved(at: float | None) -> float | None:
        return None if at is None else at + by_s

    link, place, runtime = session.link, session.place, session.runtime
    loading = runtime.loading
    if loading is not None:
        loading = replace(loading, deadline=loading.deadline + by_s)
    return replace(
        session,
        created_at=session.created_at + by_s,
        link=replace(link, since=link.since + by_s, deadline=moved(link.deadline)),
        runtime=replace(runtime, since=runtime.since + by_s, loading=loading),
        place=replace(
            place,
            since=place.since + by_s,
            queued_at=moved(place.queued_at),
            deadline=moved(place.deadline),
        ),
    )
