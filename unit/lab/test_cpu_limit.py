"""The CPU limit, in a folder that is laid out as Linux shows its control groups."""

import shutil
import subprocess
from pathlib import Path

import pytest

from app.lab.cpu_limit import CpuLimit
from app.lab.errors import CpuLimitUnavailable


def limit(cores: float, root: Path, removed: list[Path] | None = None) -> CpuLimit:
    """A limit whose group is a plain folder."""

    def remove(group: Path) -> None:
        shutil.rmtree(group)
        if removed is not None:
            removed.append(group)

    return CpuLimit(cores, root, remove)


def group_in(parent: Path, *, members: str = "") -> Path:
    """The one group that was made, with these processes in it."""
    (group,) = (one for one in parent.iterdir() if one.is_dir())
    (group / "cgroup.procs").write_text(members)
    return group


@pytest.fixture
def version_1(tmp_path: Path) -> Path:
    """Control groups with a folder for each controller."""
    (tmp_path / "cpu").mkdir()
    return tmp_path


@pytest.fixture
def version_2(tmp_path: Path) -> Path:
    """Control groups in one tree."""
    (tmp_path / "cgroup.controllers").write_text("cpu io memory\n")
    return tmp_path


def test_the_limit_of_version_1(version_1: Path) -> None:
    """A quota in a period, in two files."""
    with limit(0.25, version_1):
        group = group_in(version_1 / "cpu")
        quota = int((group / "cpu.cfs_quota_us").read_text())
        assert 4 * quota == int((group / "cpu.cfs_period_us").read_text())


def test_the_limit_of_version_2(version_2: Path) -> None:
    """Both in one file, the quota first."""
    with limit(2, version_2):
        quota, period = (group_in(version_2) / "cpu.max").read_text().split()
        assert int(quota) == 2 * int(period)


def test_a_program_enters_the_group_first(version_2: Path, tmp_path: Path) -> None:
    """The script writes its own process into the group, then is the program, arguments and all."""
    program = tmp_path / "my program"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    with limit(1, version_2) as one:
        group = group_in(version_2)
        script = one.wrapper(program, tmp_path / "wrapper")
        answer = subprocess.run([script, "a b", "$c"], capture_output=True, text=True, check=True)
        assert answer.stdout == "a b\n$c\n"
        assert (group / "cgroup.procs").read_text().strip().isdigit()
        (group / "cgroup.procs").write_text("")


def test_it_is_told_how_often_it_held(version_1: Path) -> None:
    """As the kernel counts it; nothing when it does not."""
    with limit(1, version_1) as one:
        stat = group_in(version_1 / "cpu") / "cpu.stat"
        stat.write_text("nr_periods 20\nnr_throttled 7\nthrottled_time 99\n")
        assert one.times_held() == 7
        stat.write_text("usage_usec 20\n")
        assert one.times_held() == 0


def test_it_is_removed_when_all_has_ended(version_1: Path) -> None:
    """After an error in the block, too."""
    removed: list[Path] = []

    def fail_under_it() -> None:
        with limit(1, version_1, removed):
            group_in(version_1 / "cpu")
            raise KeyError

    with pytest.raises(KeyError):
        fail_under_it()
    assert len(removed) == 1
    assert list((version_1 / "cpu").iterdir()) == []


def test_there_may_be_no_control_groups(tmp_path: Path) -> None:
    """Then it says so, and leaves nothing."""
    with pytest.raises(CpuLimitUnavailable, match="takes no group"), limit(1, tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_controller_may_be_missing(version_2: Path) -> None:
    """A group whose CPU time cannot be limited is removed again."""

    def remove(group: Path) -> None:
        (group / "cpu.max").rmdir()
        group.rmdir()

    class Reserved(CpuLimit):
        """One whose group has no such file that could be written."""

        def _write(self, name: str, value: str) -> None:
            (self._group / name).mkdir()
            super()._write(name, value)

    with (
        pytest.raises(CpuLimitUnavailable, match="limits no CPU"),
        Reserved(1, version_2, remove),
    ):
        pass
    assert [one.name for one in version_2.iterdir()] == ["cgroup.controllers"]
