"""Plays an environment for a moment and reports what it did. Runs in a process of its own.

`python -I environment_probe.py RUNNER` reads a request (JSON) on standard input and writes a report
(JSON) as the last line of standard output; `environment_check` starts it and judges the report.
The file imports nothing of this package: the environment that it executes is not ours, may end the
process, and must not find the server's modules.
"""

import contextlib
import importlib.util
import json
import random
import sys
import traceback
from types import ModuleType
from typing import Any, TypedDict

IDLE_STEPS = 30
RANDOM_STEPS = 120
STEPS_PER_HASH = 10

# What every shape needs, apart from colours: canvas units, and degrees clockwise from the x axis.
# The page draws these kinds and no others.
SHAPE_NUMBERS = {
    "rect": ("x", "y", "width", "height"),
    "circle": ("x", "y", "radius"),
    "sector": ("x", "y", "radius", "start_deg", "end_deg"),
    "polygon": (),
    "line": ("x1", "y1", "x2", "y2"),
    "text": ("x", "y", "size"),
}


class Request(TypedDict):
    """What to play: the environment, and actions made of the bits in `control_values`.

    `packages` is a folder that the environment may import from.
    """

    source: str
    filename: str
    config: dict[str, object]
    control_values: list[int]
    seed: int
    packages: str | None


class Report(TypedDict, total=False):
    """What happened.

    `players` and `hashes` after a success; `sentence` and `line` after a failure; `missing_module`
    when the environment imports what this interpreter does not have.
    """

    players: int
    hashes: list[str]
    sentence: str
    line: int | None
    missing_module: str


class UnfitError(Exception):
    """The environment keeps to the API, but cannot be played in lockstep or drawn."""


def main(argv: list[str]) -> None:
    """Answer the request on standard input; what the environment prints goes to standard error."""
    request: Request = json.load(sys.stdin)
    if request["packages"] is not None:
        add_packages(request["packages"], sys.path)
    with contextlib.redirect_stdout(sys.stderr):
        report = probe(load_runner(argv[1]), request)
    sys.stdout.write(json.dumps(report) + "\n")


def add_packages(folder: str, search: list[str]) -> None:
    """Put a folder where a browser has it: after the standard library, before what is installed.

    The versions of the study go before those that this server happens to have.
    """
    installed = [
        index for index, path in enumerate(search) if path.endswith(("-packages", "-packages/"))
    ]
    search.insert(installed[0] if installed else len(search), folder)


def load_runner(path: str) -> ModuleType:
    """Import `grace_runner` from its file."""
    spec = importlib.util.spec_from_file_location("grace_runner", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    runner = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(runner)
    return runner


def probe(runner: ModuleType, request: Request) -> Report:
    """Play the episode twice and report its hashes, or the first thing that went wrong."""
    doing = "when the file was executed"
    try:
        played = runner.Runner(
            request["source"], request["filename"], json.dumps(request["config"])
        )
        doing = "when it was played"
        hashes = play(played, request)
        if play(played, request) != hashes:
            raise UnfitError(
                "A second reset() with the same seed led to another game: reset() must restore "
                "everything, and take its random numbers from random.Random(seed)."
            )
    except runner.EnvironmentApiError as error:
        return {"sentence": str(error), "line": error.line}
    except UnfitError as error:
        return {"sentence": str(error), "line": None}
    except ModuleNotFoundError as error:
        return {"missing_module": error.name or "", "line": failing_line(error, request)}
    except (Exception, SystemExit) as error:
        sentence = f"{describe(error)} ({doing}, with Python {sys.version_info[0]}."
        sentence += f"{sys.version_info[1]})"
        return {"sentence": sentence, "line": failing_line(error, request)}
    return {"players": len(played.players), "hashes": hashes}


def play(played: Any, request: Request) -> list[str]:
    """Play one episode, or the beginning of one, and return the state hashes on the way."""
    # Repeatable actions are the point here.
    generator = random.Random(request["seed"])  # noqa: S311
    played.reset(request["seed"])
    hashes = [played.state_hash()]
    for step in range(IDLE_STEPS + RANDOM_STEPS):
        actions = [
            sum(value for value in request["control_values"] if generator.random() < 0.5)
            if step >= IDLE_STEPS
            else 0
            for _ in played.players
        ]
        over = played.step(json.dumps(actions))
        if over or step % STEPS_PER_HASH == 0:
            hashes.append(played.state_hash())
            check_shapes(json.loads(played.render_json()))
        if over:
            break
    played.result_json()
    return hashes


def check_shapes(shapes: list[Any]) -> None:
    """Raise UnfitError for the first shape that the page could not draw."""
    for index, shape in enumerate(shapes):
        name = shape.get("shape") if isinstance(shape, dict) else None
        if name not in SHAPE_NUMBERS:
            raise UnfitError(
                f"render() returned {shape!r} as shape {index}: use a dict whose 'shape' is one of "
                f"{', '.join(SHAPE_NUMBERS)}."
            )
        for key in SHAPE_NUMBERS[name]:
            if not is_number(shape.get(key)):
                raise UnfitError(
                    f"render() returned a {name} (shape {index}) without a number {key!r}."
                )
        if name == "polygon" and not is_polygon(shape.get("points")):
            raise UnfitError(
                f"render() returned a polygon (shape {index}) without [x, y] 'points'."
            )
        if name == "text" and not isinstance(shape.get("text"), str):
            raise UnfitError(f"render() returned a text (shape {index}) without a string 'text'.")


def is_number(value: object) -> bool:
    """Tell whether a value read from JSON is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_polygon(points: object) -> bool:
    """Tell whether a value read from JSON is a list of coordinate pairs."""
    return isinstance(points, list) and all(
        isinstance(point, list) and len(point) == 2 and all(map(is_number, point))
        for point in points
    )


def describe(error: BaseException) -> str:
    """Return the exception as the last line of its traceback has it."""
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg}"
    return "".join(traceback.format_exception_only(error)).strip()


def failing_line(error: BaseException, request: Request) -> int | None:
    """Return the innermost line of the environment's file that the error came through."""
    if isinstance(error, SyntaxError) and error.filename == request["filename"]:
        return error.lineno
    lines = [
        line
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == request["filename"]
    ]
    return lines[-1] if lines else None


if __name__ == "__main__":
    main(sys.argv)
