"""Makes memory snapshots of Pyodide with a study's environments imported; each is made once.

A snapshot is of one Pyodide, of one version of the environments and packages, and restored by one
version of the page's code. Its key in the cache is made of all of these, so one that does not match
is never found.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.errors import GraceError
from app.python.cache import Cache
from app.python.children import child_environment
from app.python.parts import SnapshotFile

MAKER = Path(__file__).with_name("make_snapshot.mjs")
PYODIDE_FILES = (
    "pyodide.mjs",
    "pyodide.asm.mjs",
    "pyodide.asm.wasm",
    "pyodide-lock.json",
    "python_stdlib.zip",
)
PAGE_FILES = ("snapshot.js", "pack.js", "errors.js")
"""The modules of the page that restore a snapshot."""

TIMEOUT_S = 120.0
"""Longest time that the making of a snapshot may take, in seconds; a few are usual."""

_PACK = "snapshot.pack"
_INFO = "snapshot.json"
_LAST_WORDS = 300
_PATIENCE_S = 10.0
"""That the maker waits, in seconds, before it ends itself because nobody else has ended it."""


class SnapshotNotMade(GraceError):
    """There is no snapshot; the message says why. Python is loaded plainly then."""


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment to be imported.

    Attributes:
        filename: what tracebacks call it; the page uses the same.
        source: its text.
        config: keyword arguments of its `parallel_env()`.
        actions: what a player can do in a step; some steps are played to try the snapshot out.
    """

    filename: str
    source: str
    config: Mapping[str, object]
    actions: Sequence[int] = (0,)


@dataclass(frozen=True, slots=True)
class Ingredients:
    """All that decides what a snapshot is.

    Attributes:
        pyodide: the folder of Pyodide's files.
        page: the folder of the page's modules.
        runner: `grace_runner.py`.
        environments: what is imported, in order.
        packages: the study's pure packages, or None.
    """

    pyodide: Path
    page: Path
    runner: Path
    environments: Sequence[Environment]
    packages: Path | None

    @property
    def key(self) -> str:
        """Names the snapshot: equal for equal content, wherever it lies."""
        digest = hashlib.sha256()
        files = [
            MAKER,
            self.runner,
            *(self.pyodide / name for name in PYODIDE_FILES),
            *(self.page / name for name in PAGE_FILES),
            *([] if self.packages is None else [self.packages]),
        ]
        for file in files:
            digest.update(hashlib.sha256(file.read_bytes()).digest())
        order = [[one.filename, one.source, dict(one.config)] for one in self.environments]
        digest.update(json.dumps(order, sort_keys=True).encode())
        return f"snapshot1-{digest.hexdigest()[:20]}"


def is_cached(cache: Cache, ingredients: Ingredients) -> bool:
    """Whether the snapshot of these ingredients has been made, and needs no Node.js any more."""
    return (cache.folder / ingredients.key / _PACK).is_file()


def cached_snapshot(
    cache: Cache, ingredients: Ingredients, node: Sequence[str], *, timeout_s: float = TIMEOUT_S
) -> SnapshotFile:
    """The snapshot of these ingredients, made now unless the cache has it.

    Args:
        cache: where it is kept.
        ingredients: what it is made of.
        node: the command that runs Node.js.
        timeout_s: longest time that the making may take.

    Raises:
        SnapshotNotMade: it cannot be made.
        OSError: the cache cannot keep it.
    """
    entry = cache.entry(ingredients.key, lambda folder: _make(folder, ingredients, node, timeout_s))
    info = json.loads((entry / _INFO).read_text())
    return SnapshotFile(entry / _PACK, **info)


def _make(folder: Path, ingredients: Ingredients, node: Sequence[str], timeout_s: float) -> None:
    with tempfile.TemporaryDirectory(prefix="grace-snapshot-") as scratch:
        order = _lay_out(Path(scratch), ingredients, folder / _PACK, timeout_s)
        answer = _run([*node, str(Path(scratch) / MAKER.name), str(order)], timeout_s)
    if "reason" in answer:
        raise SnapshotNotMade(answer["reason"])
    (folder / _INFO).write_text(json.dumps(answer))


def _lay_out(scratch: Path, ingredients: Ingredients, target: Path, timeout_s: float) -> Path:
    """Copy what the maker runs into a folder of its own; returns the order for it.

    Pyodide imports the npm package `ws` in Node.js, for a socket that nobody opens here. An empty
    one stands in for it.
    """
    pyodide, page = scratch / "pyodide", scratch / "page"
    pyodide.mkdir()
    page.mkdir()
    for name in PYODIDE_FILES:
        shutil.copyfile(ingredients.pyodide / name, pyodide / name)
    for name in PAGE_FILES:
        shutil.copyfile(ingredients.page / name, page / name)
    shutil.copyfile(MAKER, scratch / MAKER.name)
    (scratch / "package.json").write_text('{"type": "module"}')
    websockets = scratch / "node_modules" / "ws"
    websockets.mkdir(parents=True)
    (websockets / "package.json").write_text('{"name": "ws", "exports": "./index.js"}')
    (websockets / "index.js").write_text("module.exports = {};\n")
    order = scratch / "order.json"
    packages = ingredients.packages
    order.write_text(
        json.dumps(
            {
                "pyodide": str(pyodide),
                "restoring": str(page / "snapshot.js"),
                "runner": str(ingredients.runner),
                "environments": [
                    asdict(one) | {"config": dict(one.config)} for one in ingredients.environments
                ],
                "packages": None if packages is None else str(packages),
                "target": str(target),
                "timeout_s": timeout_s + _PATIENCE_S,
            }
        )
    )
    return order


def _run(command: Sequence[str], timeout_s: float) -> dict[str, Any]:
    """Run the maker in a process group of its own, and end all of it when it takes too long."""
    # The maker ends itself when this end is closed, however this process ends.
    read_end, alive = os.pipe()
    try:
        process = subprocess.Popen(
            command,
            stdin=read_end,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Options for the operator's own programs may be none that this one understands.
            env=child_environment(),
            start_new_session=True,
        )
    except OSError as error:
        os.close(alive)
        raise SnapshotNotMade(f"{command[0]} cannot be started: {error.strerror}") from error
    finally:
        os.close(read_end)
    try:
        said, complained = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise SnapshotNotMade(f"it took longer than {timeout_s:g} s") from None
    finally:
        os.close(alive)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    try:
        answer: dict[str, Any] = json.loads(said.splitlines()[-1])
    except (IndexError, ValueError):
        last_words = complained.strip()[-_LAST_WORDS:] or "nothing"
        raise SnapshotNotMade(
            f"Node.js ended with exit status {process.returncode} and said: {last_words}"
        ) from None
    return answer
