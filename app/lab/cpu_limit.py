"""A limit on the CPU time of a program and of all that it starts, by a Linux control group.

Chromium's own throttle slows only a page's main thread. This one holds for everything in a browser:
workers, compilation off the main thread, the network service, the drawing. A group may use so much
CPU time in each period; when that is used up, all its threads wait for the next period (Linux
kernel's documentation: `sched-bwc` for version 1, `cgroup-v2` for version 2).
"""

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from app.lab.errors import CpuLimitUnavailable
from app.lab.waiting import until

CONTROL_GROUPS = Path("/sys/fs/cgroup")
"""Where Linux shows its control groups, or each controller's (cgroups(7))."""

PERIOD_US = 20_000
"""Microseconds of a period; Linux's own 100 ms would let a short load pass in one piece."""

EMPTY_TIMEOUT_S = 20.0
"""Seconds in which all processes of a group have to have ended, after the block."""


class CpuLimit:
    """A new control group, a context manager; it is removed when everything in it has ended.

    Args:
        cores: how many cores' time all of it may use, such as 0.25.
        root: where the control groups are.
        remove: removes a group's folder.

    Raises:
        CpuLimitUnavailable: on entering, when no group can be made here.
    """

    def __init__(
        self,
        cores: float,
        root: Path = CONTROL_GROUPS,
        remove: Callable[[Path], None] = Path.rmdir,
    ) -> None:
        self._quota_us = round(cores * PERIOD_US)
        self._root = root
        self._remove = remove
        self._group = Path()

    def __enter__(self) -> Self:
        """Make the group and set its limit."""
        version_2 = (self._root / "cgroup.controllers").is_file()
        parent = self._root if version_2 else self._root / "cpu"
        self._group = parent / f"grace-{os.getpid()}-{self._quota_us}"
        try:
            self._group.mkdir()
        except OSError as error:
            raise CpuLimitUnavailable(f"{parent} takes no group: {error.strerror}") from error
        try:
            if version_2:
                self._write("cpu.max", f"{self._quota_us} {PERIOD_US}")
            else:
                self._write("cpu.cfs_period_us", str(PERIOD_US))
                self._write("cpu.cfs_quota_us", str(self._quota_us))
        except OSError as error:
            self._remove(self._group)
            raise CpuLimitUnavailable(f"{parent} limits no CPU: {error.strerror}") from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait until everything in the group has ended, and remove it.

        Raises:
            NotReached: something is still running in it.
        """
        until(
            lambda: None if self._members() else True,
            what="the end of all that ran under the CPU limit",
            timeout_s=EMPTY_TIMEOUT_S,
            instead=lambda: f"processes {self._members()}",
        )
        self._remove(self._group)

    def wrapper(self, program: Path, script: Path) -> Path:
        """Write a script that enters the group and becomes the program, with the same arguments.

        Args:
            program: what is to run under the limit.
            script: where the script is written.

        Returns:
            The script.
        """
        members = shlex.quote(str(self._group / "cgroup.procs"))
        script.write_text(
            f'#!/bin/sh\necho $$ > {members} || exit 1\nexec {shlex.quote(str(program))} "$@"\n'
        )
        script.chmod(0o755)
        return script

    def times_held(self) -> int:
        """In how many periods the group has used up its time, and had to wait."""
        for line in (self._group / "cpu.stat").read_text().splitlines():
            name, _, value = line.partition(" ")
            if name == "nr_throttled":
                return int(value)
        return 0

    def _members(self) -> str:
        return " ".join((self._group / "cgroup.procs").read_text().split())

    def _write(self, name: str, value: str) -> None:
        (self._group / name).write_text(value)
