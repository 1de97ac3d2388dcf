"""Child processes that end with the one that started them: real ones, each for a moment."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.lab import tether
from app.lab.tether import tethered

ROOT = Path(__file__).parents[2]

CHILD = """
import sys
print("running", flush=True)
sys.stdin.read()
print("survived", flush=True)
"""

PARENT = f"""
import subprocess, sys
from app.lab.tether import tethered
command = [sys.executable, "-c", {CHILD!r}]
subprocess.run(tethered(command, sys.argv[1]))
"""

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tethers")


@on_linux
@pytest.mark.parametrize(
    ("platform", "last_words"), [("linux", ""), ("any other", "survived\n")], ids=["tied", "loose"]
)
def test_a_killed_parent_takes_its_child_along(platform: str, last_words: str) -> None:
    """A child that is tethered dies with its parent; one that is not goes on."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, platform],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        assert parent.stdout.readline() == "running\n"
        parent.kill()
        parent.wait()
        # Both pipes are the child's too: the end of one lets it go on, the other ends with it.
        said, _ = parent.communicate()
    assert said == last_words


@on_linux
def test_a_parent_that_is_gone_already_is_noticed() -> None:
    """A child whose parent died before it could be tethered does not begin."""
    nobody = "0"
    command = [sys.executable, "-c", "print('running')"]
    late = subprocess.run(
        [sys.executable, tether.__file__, nobody, *command],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (late.stdout, late.stderr) == ("", "the parent process is gone\n")
    assert late.returncode == 1


def test_there_is_no_tether_elsewhere() -> None:
    """On another system the command is run as it is."""
    assert tethered(["server", "--port", "0"], platform="darwin") == ["server", "--port", "0"]
