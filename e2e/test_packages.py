"""A third-party package in the browser, and what the real package index says.

These tests ask the index that pip is set up for: only it knows whether the real NetworkX is what
the lock says, and that the real NumPy has no wheel for browsers.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

import app.examples.maze_race as example
from app.lab.admin import select
from app.lab.bench import Bench
from app.lab.participant import Participant
from app.lab.server import ServerProcess
from app.services.packages import served_lock
from e2e import speed
from e2e.playing import assert_equal_states, finish_episode

FOLDER = Path(example.__path__[0])
STEPS = 240

SHORT = f"""
from dataclasses import replace
import importlib.util
spec = importlib.util.spec_from_file_location("example", {str(FOLDER / "study.py")!r})
example = importlib.util.module_from_spec(spec)
spec.loader.exec_module(example)
race, end = example.study.scenes[1:]
race = replace(race, config={{"rounds_to_win": 3, "max_steps": {STEPS}}})
study = replace(example.study, scenes=[race, end])
"""


@pytest.fixture
def short_race(tmp_path: Path) -> Path:
    """The shipped race, without the page to read, and over after a few seconds."""
    folder = tmp_path / "race"
    folder.mkdir()
    for name in ("maze_race.py", "packages.lock"):
        shutil.copy(FOLDER / name, folder)
    (folder / "study.py").write_text(SHORT)
    return folder


@pytest.mark.parametrize("snapshots", [True, False])
def test_two_race_through_mazes_of_a_package(
    bench: Bench, short_race: Path, runtime: str, snapshots: bool
) -> None:
    """NetworkX builds the same mazes in both browsers, from a snapshot and without."""
    server = bench.serve(short_race / "study.py", runtime=runtime, snapshots=snapshots)
    left, right = bench.participant("left"), bench.participant("right")
    for player in (left, right):
        player.open(server.url)
    ended = finish_episode(server, left, right)
    assert ended["result"]["frame"] == STEPS
    assert_equal_states(ended, left, right)
    assert asked_hosts(left) == set()

    # Must not happen: that the server could only hope that the environment works, that a snapshot
    # could not be made or restored of a package, or that the two did not agree.
    for trouble in ("not checked", "no memory snapshot"):
        assert trouble not in server.log()
    for player in (left, right):
        report = player.load_report()
        expected = (runtime, "restored" if snapshots else "none")
        assert (report["runtime"], report["snapshot"]) == expected
    assert select(server.admin.events(), "desync") == []


COMPILED = """
from app.studies import Control, End, Game, Study
press = Control(label="Press", keys=["ArrowLeft", "ArrowRight"], value=1)
study = Study(
    study_id="compiled",
    title="Compiled",
    scenes=[
        Game(scene_id="match", title="Match", environment="counting.py", controls=[press]),
        End(scene_id="end", title="End", markdown=""),
    ],
    {packages}
)
"""


def compiled_study(folder: Path, packages: str, line: str) -> Path:
    """A study that names packages, and whose environment begins with a line."""
    folder.mkdir()
    (folder / "study.py").write_text(COMPILED.format(packages=packages))
    counting = Path(speed.__path__[0], "study", "counting.py").read_text()
    counting = counting.replace("LAST_STEP = 1_000_000", f"LAST_STEP = {STEPS}")
    (folder / "counting.py").write_text(counting.replace("from typing", f"{line}\nfrom typing", 1))
    return folder / "study.py"


def play_to_the_end(bench: Bench, study: Path, **settings: Any) -> ServerProcess:
    """Let two play a whole episode in the same states; returns the server."""
    server = bench.serve(study, **settings)
    left, right = bench.participant("left"), bench.participant("right")
    for player in (left, right):
        player.open(server.url)
    assert_equal_states(finish_episode(server, left, right), left, right)
    return server


def test_webassembly_is_loaded(bench: Bench, tmp_path: Path, runtime: str) -> None:
    """pydantic-core is Rust, and its wheel for browsers comes from the index like any other."""
    line = "from pydantic_core import from_json; assert from_json('[1]') == [1]"
    study = compiled_study(tmp_path / "study", 'packages=["pydantic-core"],', line)
    ended = lock(study)
    assert "WebAssembly" in ended.stdout, ended.stderr
    server = play_to_the_end(bench, study, runtime=runtime)
    assert "the study has compiled packages" in server.log()


def test_a_distribution_is_served(bench: Bench, tmp_path: Path, runtime: str) -> None:
    """Pyodide loads from it by name, with what that needs; a stand-in for NumPy here."""
    distribution = tmp_path / "distribution"
    version = served_lock()["packages"]["numpy"]["version"]
    packages = {
        name: distributed(distribution, name, version, depends)
        for name, depends in (("numpy", ["needed"]), ("needed", []))
    }
    lock_text = json.dumps({"info": served_lock()["info"], "packages": packages})
    (distribution / "pyodide-lock.json").write_text(lock_text)
    line = "import numpy, needed; assert numpy.name + needed.name == 'numpyneeded'"
    study = compiled_study(tmp_path / "study", 'distribution_packages=["numpy"],', line)
    play_to_the_end(bench, study, runtime=runtime, pyodide_distribution=distribution)


def distributed(folder: Path, name: str, version: str, depends: list[str]) -> dict[str, object]:
    """Put a package into a distribution; returns its entry in the lock."""
    folder.mkdir(exist_ok=True)
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{name}.py", f"name = {name!r}\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    return {
        "name": name,
        "version": version,
        "file_name": wheel.name,
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "depends": depends,
        "imports": [name],
        "install_dir": "site",
        "package_type": "package",
        "unvendored_tests": False,
    }


def asked_hosts(player: Participant) -> set[str]:
    """Hosts other than the server that the page has fetched something from."""
    hosts: list[str] = player.page.evaluate(
        "() => performance.getEntriesByType('resource').map((one) => new URL(one.name).host)"
        ".filter((host) => host !== location.host)"
    )
    return set(hosts)


def packages_command(folder: Path, requirement: str) -> subprocess.CompletedProcess[str]:
    """Run `grace-server packages` on a study that names one package."""
    folder.mkdir(exist_ok=True)
    (folder / "study.py").write_text(
        "from app.studies import End, Study\n"
        "end = End(scene_id='end', title='End', markdown='')\n"
        f"study = Study(study_id='x', title='X', scenes=[end], packages=[{requirement!r}])\n"
    )
    return lock(folder / "study.py")


def lock(study: Path) -> subprocess.CompletedProcess[str]:
    """Run `grace-server packages` on a study."""
    cache = str(study.with_name("cache"))
    return subprocess.run(
        [sys.executable, "-m", "app.cli", "packages", str(study), "--cache", cache],
        capture_output=True,
        text=True,
        check=False,
    )


def test_numpy_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """The index has it for many machines, and browsers are not among them."""
    ended = packages_command(tmp_path / "study", "numpy")
    assert ended.returncode == 2
    sentence = ended.stderr.splitlines()[-1]
    assert "'numpy' cannot run in a browser: it has only wheels that are compiled for" in sentence
    assert "distribution_packages" in sentence
    assert not (tmp_path / "study" / "packages.lock").exists()


def test_the_shipped_lock_is_what_the_index_gives(tmp_path: Path) -> None:
    """Whoever locks the same version anew gets the same wheel."""
    ended = packages_command(tmp_path / "study", "networkx==3.6.1")
    assert ended.returncode == 0, ended.stderr
    texts = [
        (folder / "packages.lock").read_text().partition("[[wheel]]")[2]
        for folder in (tmp_path / "study", FOLDER)
    ]
    assert texts[0] == texts[1]
