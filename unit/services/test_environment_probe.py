"""What the probe reports of an environment. Played here, in this process, for speed."""

import io
import json
from pathlib import Path

import pytest

from app.services import environment_probe
from app.services.environment_probe import Report, Request, UnfitError, check_shapes
from app.services.static_files import runner_file

COUNTING = Path(__file__).with_name("environments").joinpath("counting.py").read_text()
RUNNER = environment_probe.load_runner(str(runner_file()))


def request(source: str) -> Request:
    """A request to play `source`, long enough to see all of it."""
    return {
        "source": source,
        "filename": "counting.py",
        "config": {"length": 1000},
        "control_values": [1, 2],
        "seed": 1,
        "packages": None,
    }


def probe_changed(old: str, new: str) -> Report:
    """The report on the small environment with one thing about it changed."""
    assert old in COUNTING
    return environment_probe.probe(RUNNER, request(COUNTING.replace(old, new)))


def line_of(text: str) -> int:
    """Where `text` stands in the small environment."""
    return COUNTING[: COUNTING.index(text)].count("\n") + 1


def test_a_good_environment() -> None:
    """An environment that can be played is reported with its players and its hashes."""
    report = environment_probe.probe(RUNNER, request(COUNTING))
    assert report["players"] == 2
    assert len(set(report["hashes"])) > 10


def test_packages_lie_where_a_browser_has_them() -> None:
    """After the standard library, before what this server happens to have installed."""
    search = ["/usr/lib/python3.zip", "/usr/lib/python3", "/venv/lib/python3/site-packages"]
    environment_probe.add_packages("/cache/site", search)
    assert search[2:] == ["/cache/site", "/venv/lib/python3/site-packages"]
    search = ["/usr/lib/python3"]
    environment_probe.add_packages("/cache/site", search)
    assert search == ["/usr/lib/python3", "/cache/site"]


def test_the_report_is_the_last_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the environment prints goes to standard error, so that the report can be read."""
    message = json.dumps(request(COUNTING + "\nprint('hello')\n"))
    monkeypatch.setattr("sys.stdin", io.StringIO(message))
    environment_probe.main(["probe", str(runner_file())])
    printed = capsys.readouterr()
    assert json.loads(printed.out)["players"] == 2
    assert printed.err == "hello\n"


def test_a_reset_that_forgets_something() -> None:
    """A second episode of the same seed must be the first one again."""
    report = probe_changed("random.Random(seed).randrange(1000)", "getattr(self, 'start', 0) + 1")
    assert "A second reset() with the same seed" in report["sentence"]


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero (when it was played, with Python 3."),
        ("raise SystemExit('bye')", "SystemExit: bye (when it was played"),
    ],
)
def test_an_environment_that_raises(statement: str, sentence: str) -> None:
    """What the environment raises is reported with its own line."""
    report = probe_changed("self.steps = 0", statement)
    assert report["sentence"].startswith(sentence)
    assert report["line"] == line_of("self.steps = 0")


def test_a_line_that_cannot_be_executed() -> None:
    """What fails before there is an environment is reported with its line too."""
    report = probe_changed("import random", "import random.nothing")
    assert report["missing_module"] == "random.nothing"
    report = probe_changed("import random", "raise ValueError('no')")
    assert report["sentence"].startswith("ValueError: no (when the file was executed")
    assert report["line"] == line_of("import random")


def test_a_syntax_error() -> None:
    """A syntax error is reported at its line, with the version of Python that objects."""
    report = probe_changed("def render(self)", "def render(self")
    assert report["sentence"].startswith("SyntaxError: invalid syntax (when the file was executed")
    assert report["line"] == line_of("def render(self)")


def test_a_broken_api() -> None:
    """What breaks the API is reported in the runner's words."""
    report = probe_changed("def parallel_env", "def env")
    assert report == {"sentence": "The file defines no parallel_env().", "line": None}


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ("rect", "returned 'rect' as shape 0"),
        ({"shape": "star"}, "use a dict whose 'shape' is one of rect, circle, "),
        ({"shape": "circle", "x": 1, "y": 2}, "a circle (shape 0) without a number 'radius'"),
        ({"shape": "line", "x1": 1, "y1": 2, "x2": "3", "y2": 4}, "without a number 'x2'"),
        ({"shape": "polygon", "points": [[1, 2], [3]]}, "without [x, y] 'points'"),
        ({"shape": "polygon"}, "without [x, y] 'points'"),
        ({"shape": "text", "x": 1, "y": 2, "size": 9, "text": 5}, "without a string 'text'"),
    ],
)
def test_a_shape_that_cannot_be_drawn(shape: object, sentence: str) -> None:
    """A shape that the page could not draw is refused, with its place in the list."""
    with pytest.raises(UnfitError) as refused:
        check_shapes([shape])
    assert sentence in str(refused.value)


def test_shapes_that_can_be_drawn() -> None:
    """Every kind of shape is accepted, with whole and broken numbers."""
    check_shapes(
        [
            {"shape": "rect", "x": 0, "y": 0.5, "width": 10, "height": 10, "fill": "red"},
            {"shape": "circle", "x": 0, "y": 0, "radius": 3},
            {"shape": "sector", "x": 0, "y": 0, "radius": 3, "start_deg": 0, "end_deg": 90},
            {"shape": "polygon", "points": [[0, 0], [1, 0], [0, 1.5]]},
            {"shape": "line", "x1": 0, "y1": 0, "x2": 9, "y2": 9, "stroke": "black"},
            {"shape": "text", "x": 0, "y": 0, "text": "Hello", "size": 12},
        ]
    )
