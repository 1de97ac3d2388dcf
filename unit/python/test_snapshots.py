import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from app.python.cache import Cache
from app.python.node import find_node
from app.python.snapshots import (
    PAGE_FILES,
    PYODIDE_FILES,
    Environment,
    Ingredients,
    SnapshotNotMade,
    cached_snapshot,
)
from app.services.static_files import runner_file, static_folder

ROOT = Path(__file__).parents[2]

EMPTY = '''
"""Two players who add up what they press."""
import random

class Sum:
    possible_agents = ["player_0", "player_1"]

    def reset(self, seed=None):
        self.total = random.Random(seed).randrange(1000)
        return dict.fromkeys(self.possible_agents, self.total), dict.fromkeys(
            self.possible_agents, {}
        )

    def step(self, actions):
        self.total += sum(actions.values())
        both = self.possible_agents
        return (
            dict.fromkeys(both, self.total), dict.fromkeys(both, 0.0), dict.fromkeys(both, False),
            dict.fromkeys(both, False), dict.fromkeys(both, {}),
        )

    def render(self):
        return []

def parallel_env(**config):
    return Sum()
'''

SUM = Environment("match/environment.py", EMPTY, {})


def pack_of(files: dict[str, bytes]) -> bytes:
    """A files pack, written by hand."""
    header = {"kind": "files", "files": [[name, len(data)] for name, data in files.items()]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return (
        b"GRACEPK1" + len(text).to_bytes(4, "little") + bytes(4) + text + b"".join(files.values())
    )


@pytest.fixture
def ingredients(tmp_path: Path) -> Ingredients:
    """Small files in the place of real ones."""
    pyodide, page = tmp_path / "pyodide", tmp_path / "page"
    pyodide.mkdir()
    page.mkdir()
    for folder, names in ((pyodide, PYODIDE_FILES), (page, PAGE_FILES)):
        for name in names:
            (folder / name).write_text(name)
    runner = tmp_path / "grace_runner.py"
    runner.write_text("")
    return Ingredients(pyodide, page, runner, [SUM], None)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """An empty cache."""
    return Cache(tmp_path / "cache")


def python(script: str) -> Sequence[str]:
    """A command in the place of Node.js, which is given the maker and the order."""
    return [sys.executable, "-c", script]


def wait_for(condition: Callable[[], bool]) -> bool:
    """Whether another process makes it so within some seconds."""
    waited = threading.Event()
    return any(condition() or waited.wait(0.05) for _ in range(400))


MAKES = """
import json, pathlib, sys
order = json.loads(pathlib.Path(sys.argv[2]).read_text())
assert pathlib.Path(order["pyodide"], "pyodide.asm.wasm").is_file()
pathlib.Path(order["target"]).write_text(order["environments"][0]["source"])
print("a warning")
print(json.dumps({"memory_bytes": 64, "header_bytes": 16}))
"""


def test_a_snapshot_is_made_once(ingredients: Ingredients, cache: Cache) -> None:
    """The second time nothing is run."""
    made = cached_snapshot(cache, ingredients, python(MAKES))
    assert (made.memory_bytes, made.header_bytes) == (64, 16)
    assert made.path.read_text() == EMPTY
    assert cached_snapshot(cache, ingredients, ["false"]) == made


def test_a_snapshot_of_anything_else_has_another_key(ingredients: Ingredients) -> None:
    """Whatever decides about the content is in the key, and where it lies is not."""
    key = ingredients.key
    keys = {key}
    for file in (
        ingredients.runner,
        *(ingredients.pyodide / name for name in PYODIDE_FILES),
        *(ingredients.page / name for name in PAGE_FILES),
    ):
        before = file.read_text()
        file.write_text("changed")
        keys.add(ingredients.key)
        file.write_text(before)
    for change in (
        replace(SUM, source="x = 1"),
        replace(SUM, filename="other/environment.py"),
        replace(SUM, config={"rounds": 2}),
    ):
        keys.add(replace(ingredients, environments=[change]).key)
    packages = ingredients.runner.with_name("packages.pack")
    packages.write_bytes(b"files")
    keys.add(replace(ingredients, packages=packages).key)
    assert len(keys) == 1 + 1 + len(PYODIDE_FILES) + len(PAGE_FILES) + 3 + 1
    elsewhere = ingredients.pyodide.with_name("elsewhere")
    shutil.copytree(ingredients.pyodide, elsewhere)
    assert replace(ingredients, pyodide=elsewhere).key == key


def test_the_maker_and_the_order_of_environments_are_in_the_key(
    ingredients: Ingredients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the order of an environment's keyword arguments, which decides nothing, is not."""
    other = replace(SUM, filename="other/environment.py", config={"a": 1, "b": 2})
    same = replace(other, config={"b": 2, "a": 1})
    both = replace(ingredients, environments=[SUM, other])
    assert replace(ingredients, environments=[SUM, same]).key == both.key
    assert replace(ingredients, environments=[other, SUM]).key != both.key
    before, changed = both.key, ingredients.runner.with_name("make_snapshot.mjs")
    changed.write_text("changed")
    monkeypatch.setattr("app.python.snapshots.MAKER", changed)
    assert both.key != before


def test_a_maker_is_told_no_secret(
    ingredients: Ingredients, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs code of packages, which somebody else has written."""
    monkeypatch.setenv("GRACE_ADMIN_TOKEN", "a secret")
    script = "import json, os; print(json.dumps({'reason': f'told: {dict(os.environ)}'}))"
    with pytest.raises(SnapshotNotMade, match=r"told: .*PATH") as told:
        cached_snapshot(cache, ingredients, python(script))
    assert "a secret" not in str(told.value)


def test_a_maker_does_not_give_up_before_it_is_ended(
    ingredients: Ingredients, cache: Cache
) -> None:
    """Its own limit is for when nobody else is there to end it."""
    script = (
        "import json, pathlib, sys; order = json.loads(pathlib.Path(sys.argv[2]).read_text());"
        "print(json.dumps({'reason': f'patience: {order[\"timeout_s\"] > 50}'}))"
    )
    with pytest.raises(SnapshotNotMade, match="patience: True"):
        cached_snapshot(cache, ingredients, python(script), timeout_s=50)


def test_the_last_words_of_a_maker_are_a_few(ingredients: Ingredients, cache: Cache) -> None:
    """The end of them, where an error stands; an operator reads them in one line."""
    script = "import sys; sys.exit('many words ' * 1000 + 'and the reason')"
    with pytest.raises(SnapshotNotMade, match=r"and the reason$") as ended:
        cached_snapshot(cache, ingredients, python(script))
    assert len(str(ended.value)) < 400


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("import json; print(json.dumps({'reason': 'no goats'}))", "no goats"),
        ("import sys; sys.exit('out of memory')", "exit status 1 and said: out of memory"),
        ("print('hello')", "said: nothing"),
    ],
)
def test_what_went_wrong_is_said_and_not_kept(
    script: str, reason: str, ingredients: Ingredients, cache: Cache
) -> None:
    """The next try is a new one."""
    with pytest.raises(SnapshotNotMade, match=reason):
        cached_snapshot(cache, ingredients, python(script))
    assert cached_snapshot(cache, ingredients, python(MAKES)).memory_bytes == 64


def test_a_maker_that_takes_too_long_is_ended_with_what_it_started(
    ingredients: Ingredients, cache: Cache
) -> None:
    """Its child too, which holds the same pipe: else nobody would ever be done reading."""
    script = "import subprocess; subprocess.run(['sleep', '600'])"
    with pytest.raises(SnapshotNotMade, match=r"longer than 0\.5 s"):
        cached_snapshot(cache, ingredients, python(script), timeout_s=0.5)


def test_a_maker_that_cannot_be_started_is_a_reason(ingredients: Ingredients, cache: Cache) -> None:
    """As when Node.js was removed a moment ago."""
    with pytest.raises(SnapshotNotMade, match="no-such-node cannot be started: No such file"):
        cached_snapshot(cache, ingredients, ["no-such-node"])


def test_a_maker_learns_that_whoever_started_it_is_gone(tmp_path: Path) -> None:
    """Standard input ends then, however that process ended, and so does the maker."""
    started, done = tmp_path / "started", tmp_path / "done"
    maker = (
        "import pathlib, sys\n"
        f"pathlib.Path({str(started)!r}).touch()\n"
        "sys.stdin.read()\n"
        f"pathlib.Path({str(done)!r}).touch()\n"
    )
    starter = (
        "import sys\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from app.python.snapshots import _run\n"
        f"_run([sys.executable, '-c', {maker!r}], 60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", starter])
    assert wait_for(started.exists)
    process.kill()
    process.wait()
    assert wait_for(done.exists)


@pytest.mark.timeout(240)
class TestMakingInNode:
    """The real maker, in Node.js, of Pyodide."""

    @pytest.fixture
    def node(self) -> Sequence[str]:
        """The command that runs Node.js."""
        command = find_node()
        assert command is not None, "the unit tests need Node.js"
        return command

    @pytest.fixture
    def real(self) -> Ingredients:
        """What is really served."""
        static = static_folder()
        return Ingredients(static / "vendor" / "pyodide", static / "js", runner_file(), [SUM], None)

    def test_it_holds_the_environments_and_the_packages(
        self, real: Ingredients, cache: Cache, node: Sequence[str], tmp_path: Path
    ) -> None:
        """A package that makes the memory grow, and one with a data file, are imported in it."""
        packages = tmp_path / "packages.pack"
        packages.write_bytes(
            pack_of(
                {
                    "heavy.py": b"ballast = bytes(40_000_000)\n",
                    "light/__init__.py": b"import pathlib\n"
                    b"word = pathlib.Path(__file__).with_name('word.txt').read_text()\n",
                    "light/word.txt": b"goat",
                }
            )
        )
        source = f"import heavy, light\nassert light.word == 'goat'\n{EMPTY}"
        environment = replace(SUM, source=source)
        made = cached_snapshot(
            cache, replace(real, environments=[environment], packages=packages), node
        )
        assert made.memory_bytes > 60_000_000
        # Zeros are in no memory that was just made either.
        assert made.path.stat().st_size < 14_000_000

    @pytest.mark.parametrize(
        ("source", "reason"),
        [
            ("import goats\n", "No module named 'goats'"),
            ("import js\njs.document.title\n", "document"),
            (
                "import js, sys\nsys.since = js.Date.new()\n" + EMPTY,
                "holds an object of JavaScript",
            ),
            ("def parallel_env(**config):\n    return 1 / 0\n", "division by zero"),
        ],
    )
    def test_an_environment_that_cannot_be_imported_is_the_reason(
        self, source: str, reason: str, real: Ingredients, cache: Cache, node: Sequence[str]
    ) -> None:
        """The last line of its traceback says why there is no snapshot."""
        environment = replace(SUM, source=source)
        with pytest.raises(SnapshotNotMade, match=reason):
            cached_snapshot(cache, replace(real, environments=[environment]), node)
