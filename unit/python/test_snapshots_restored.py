"""Snapshots as they are restored: in Node.js, with the real Pyodide and the page's own module."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.python import snapshots
from app.python.cache import Cache
from app.python.node import find_node
from app.python.snapshots import Environment, Ingredients, SnapshotNotMade, cached_snapshot
from app.services.static_files import runner_file, static_folder
from unit.python.test_snapshots import EMPTY

# A snapshot is made in seconds, on a machine that does nothing else.
pytestmark = pytest.mark.timeout(240)

SCRIPT = Path(__file__).with_name("restore.mjs")
# Refuses every action that no player has.
PICKY = EMPTY.replace("sum(actions.values())", "sum({0: 0, 4: 1}[it] for it in actions.values())")
CHANCE = f"""
import random
import tempfile
print("not for the operator")
{PICKY}
def ask_the_browser():
    import js
    return js.Date.now() > 0
"""
FILENAME = "match/environment.py"
FIRST = "import colorsys"
"""An import of something that the snapshot does not have."""


@pytest.fixture(scope="module")
def node() -> Sequence[str]:
    """The command that runs Node.js."""
    command = find_node()
    assert command is not None, "the unit tests need Node.js"
    return command


@pytest.fixture(scope="module")
def real() -> Ingredients:
    """What is really served, with an environment that uses chance, the browser and few actions."""
    static = static_folder()
    environment = Environment(FILENAME, CHANCE, {}, actions=(0, 4))
    return Ingredients(
        static / "vendor" / "pyodide", static / "js", runner_file(), [environment], None
    )


@pytest.fixture(scope="module")
def folder(
    real: Ingredients, node: Sequence[str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with everything that is needed to restore, laid out as for the maker."""
    folder = tmp_path_factory.mktemp("restored")
    made = cached_snapshot(Cache(folder / "cache"), real, node)
    snapshots._lay_out(folder, real, folder / "unused", 60)
    made.path.rename(folder / "snapshot.pack")
    (folder / "snapshot.json").write_text(
        json.dumps({"memory_bytes": made.memory_bytes, "header_bytes": made.header_bytes})
    )
    (folder / SCRIPT.name).write_text(SCRIPT.read_text())
    return folder


def answers(folder: Path, node: Sequence[str], *questions: dict[str, Any]) -> list[Any]:
    """What a restored interpreter says to each question; a sentence where it was not restored."""
    command = [*node, str(folder / SCRIPT.name), str(folder), json.dumps(questions)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    found: list[Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


def test_a_restored_python_does_what_any_other_does(folder: Path, node: Sequence[str]) -> None:
    """It has what was imported, imports more, prints, asks the browser and takes more memory."""
    runner = f"grace_runner.Runner({CHANCE!r}, {FILENAME!r}, '{{}}')"
    (said,) = answers(
        folder,
        node,
        {
            "ask": [
                "import sys; 'random' in sys.modules and 'colorsys' not in sys.modules",
                f"{FIRST}; colorsys.rgb_to_hsv(1, 0, 0)",
                f"import grace_runner; {FILENAME!r} in grace_runner._prepared",
                f"played = {runner}; played._env.total if played.reset(1) else played.players",
                "sys.modules['grace_environment'].ask_the_browser()",
                "print('a word'); len(bytearray(80_000_000))",
            ]
        },
    )
    assert said == [
        "true", "(0.0, 1.0, 1)", "true", "['player_0', 'player_1']", "true", "80000000",
        "not for the operator", "a word",
    ]  # fmt: skip


def test_two_who_restore_the_same_have_other_random_numbers(
    folder: Path, node: Sequence[str]
) -> None:
    """From `random`, which is seeded anew, and from what asks the browser each time."""
    ask = [
        "import random; random.random()",
        "import secrets; secrets.token_hex()",
        "import uuid; uuid.uuid4()",
        "random.SystemRandom().random()",
    ]
    first, second = answers(folder, node, {"ask": ask}, {"ask": ask})
    assert all(one != other for one, other in zip(first, second, strict=True))


def test_what_cannot_be_restored_leaves_the_way_free_for_a_plain_load(
    folder: Path, node: Sequence[str]
) -> None:
    """In the same thread: a flipped bit, another build of Pyodide, then no snapshot at all."""
    flipped, other, plain = answers(
        folder,
        node,
        {"flip": 1000, "ask": []},
        {"other_build": True, "ask": []},
        {"plain": True, "ask": ["1 + 1"]},
    )
    assert flipped.startswith("SnapshotError: the restored memory is not what it was")
    assert "build id mismatch" in other
    assert plain == ["2"]


def test_a_snapshot_tells_nothing_of_the_machine_it_was_made_on(folder: Path) -> None:
    """Everybody reads it: the folder that it was made in is not their business."""
    pack = (folder / "snapshot.pack").read_bytes()
    assert b"parallel_env" in pack
    assert b"make_snapshot" not in pack
    assert b"grace-snapshot-" not in pack


def test_python_gets_no_more_memory_than_a_browser_would_give(
    real: Ingredients, node: Sequence[str], tmp_path: Path
) -> None:
    """An environment that takes all there is does not take the server's machine down."""
    hog = Environment(FILENAME, "rest = []\nwhile True:\n    rest.append(bytes(90_000_000))\n", {})
    with pytest.raises(SnapshotNotMade, match="MemoryError"):
        cached_snapshot(Cache(tmp_path), replace(real, environments=[hog]), node)
