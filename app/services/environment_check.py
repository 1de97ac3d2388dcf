"""Checks an environment file at start, in processes of its own, before a participant meets it.

Two processes play the same seed and the same actions. Lockstep needs them to agree: what differs
between two Python processes (hash seeds and so the order of sets, clocks, unseeded random numbers)
differs between two browsers too.
"""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from app.errors import StudyFileError
from app.python.children import child_environment
from app.services import environment_probe
from app.services.environment_probe import Report, Request
from app.services.static_files import runner_file
from app.studies import Game

CHECK_TIMEOUT_S = 20.0
"""Longest time that the check of one environment may take, in seconds."""

_SEED = 1


@dataclass(frozen=True, slots=True)
class EnvironmentSource:
    """An environment file as it was at start; the page gets this text.

    Attributes:
        path: the file.
        source: its text.
    """

    path: Path
    source: str


def check_environment(
    environment: EnvironmentSource,
    game: Game,
    *,
    packages: Path | None = None,
    timeout_s: float = CHECK_TIMEOUT_S,
) -> str | None:
    """Play the environment for a moment, twice; it may import from the folder `packages`.

    Returns None, or a sentence for the operator when this interpreter cannot play the environment
    because it imports a module that may exist in the browser only. Raises StudyFileError when the
    environment fails, breaks the API, takes longer than `timeout_s`, or plays one seed in two ways.
    """
    file = str(environment.path)
    request: Request = {
        "source": environment.source,
        "filename": file,
        "config": dict(game.config),
        "control_values": [control.value for control in game.controls],
        "seed": _SEED,
        "packages": None if packages is None else str(packages),
    }
    with ThreadPoolExecutor(max_workers=2) as pool:
        runs = [pool.submit(_run_probe, request, timeout_s) for _ in range(2)]
        first, second = (run.result() for run in runs)
    if "missing_module" in first:
        return _missing_module(environment, first)
    for report in (first, second):
        if "sentence" in report:
            raise StudyFileError(file, report.get("line"), report["sentence"])
    if first["players"] != game.players:
        raise StudyFileError(
            file,
            None,
            f"The environment has {first['players']} players, but the scene {game.scene_id!r} asks "
            f"for {game.players}: make them agree.",
        )
    if first["hashes"] != second["hashes"]:
        raise StudyFileError(
            file,
            None,
            "Two processes played the same seed and the same actions and came to different states: "
            "take random numbers from random.Random(seed) in reset(), and let nothing depend on "
            "the time or on the order of a set.",
        )
    return None


def _run_probe(request: Request, timeout_s: float) -> Report:
    """Run the probe once. -I keeps our modules and the user's settings out, -B writes no caches."""
    command = [sys.executable, "-I", "-B", environment_probe.__file__, str(runner_file())]
    try:
        ended = subprocess.run(
            command,
            input=json.dumps(request).encode(),
            capture_output=True,
            env=child_environment(),
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        steps = 2 * (environment_probe.IDLE_STEPS + environment_probe.RANDOM_STEPS)
        return {
            "sentence": f"Playing {steps} steps took longer than {timeout_s:g} s: look for a "
            "loop that does not end, or make a step faster."
        }
    try:
        report: Report = json.loads(ended.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return {
            "sentence": f"The environment ended its process (exit status {ended.returncode}): "
            "it must return to its caller."
        }
    return report


def _missing_module(environment: EnvironmentSource, report: Report) -> str:
    """Return the note about a module that is missing here; refuse one that lies beside the file."""
    name = report["missing_module"]
    top = name.partition(".")[0]
    folder = environment.path.parent
    if (folder / f"{top}.py").is_file() or (folder / top).is_dir():
        raise StudyFileError(
            str(environment.path),
            report.get("line"),
            f"The environment imports {name!r} from a file beside it, which the browser does not "
            "get: an environment must be one file.",
        )
    line = report.get("line")
    place = f"{environment.path}:{line}" if line else str(environment.path)
    return f"{place}: not checked: {name!r} is not installed here, only the browser may have it."
