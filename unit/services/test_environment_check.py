"""The check of an environment in processes of its own, and what it makes of their reports."""

from pathlib import Path

import pytest

from app.errors import StudyFileError
from app.services.environment_check import EnvironmentSource, check_environment
from app.studies import Control, Game

COUNTING = Path(__file__).with_name("environments").joinpath("counting.py").read_text()
GAME = Game(
    scene_id="match",
    title="Match",
    environment="counting.py",
    controls=[Control(label="Go", keys=["KeyA"], value=1)],
)


def environment(tmp_path: Path, source: str) -> EnvironmentSource:
    """`source`, as if it had been read from a file; it need not be there."""
    return EnvironmentSource(path=tmp_path / "counting.py", source=source)


def refusal(tmp_path: Path, source: str, game: Game = GAME) -> StudyFileError:
    """The error with which `source` is refused."""
    with pytest.raises(StudyFileError) as refused:
        check_environment(environment(tmp_path, source), game)
    assert refused.value.file == str(tmp_path / "counting.py")
    return refused.value


def test_a_good_environment(tmp_path: Path) -> None:
    """An environment that can be played is accepted without a note."""
    assert check_environment(environment(tmp_path, COUNTING), GAME) is None


def test_an_environment_that_fails(tmp_path: Path) -> None:
    """What the probe reports becomes an error at the environment's own line."""
    error = refusal(tmp_path, COUNTING.replace("self.steps = 0", "self.steps = 1 / 0"))
    assert error.sentence.startswith("ZeroDivisionError: division by zero")
    assert error.line is not None
    assert str(error).startswith(f"{tmp_path / 'counting.py'}:{error.line}: ZeroDivisionError")


def test_two_processes_that_disagree(tmp_path: Path) -> None:
    """What is the same within one process may differ between two browsers: it is refused."""
    source = COUNTING.replace("random.Random(seed).randrange(1000)", "PER_PROCESS")
    error = refusal(tmp_path, source + "\n\nPER_PROCESS = random.SystemRandom().random()\n")
    assert "came to different states" in error.sentence


def test_players_that_disagree_with_the_study(tmp_path: Path) -> None:
    """The environment must have as many players as the scene gives it."""
    three = Game(scene_id="match", title="M", environment="counting.py", config={"players": 3})
    error = refusal(tmp_path, COUNTING, three)
    assert error.sentence.startswith("The environment has 3 players, but the scene 'match' asks")


def test_config_that_the_environment_does_not_know(tmp_path: Path) -> None:
    """The scene's config is passed on, and refused in the words of Python."""
    fast = Game(scene_id="match", title="M", environment="counting.py", config={"speed": 3})
    assert "unexpected keyword argument 'speed'" in refusal(tmp_path, COUNTING, fast).sentence


def test_an_environment_that_ends_its_process(tmp_path: Path) -> None:
    """An environment that takes its process down takes nothing else down."""
    error = refusal(tmp_path, "import os\nos._exit(3)\n")
    assert "exit status 3" in error.sentence


def test_an_environment_that_does_not_end(tmp_path: Path) -> None:
    """The check is bounded in time."""
    endless = environment(tmp_path, "while True: pass\n")
    with pytest.raises(StudyFileError, match=r"took longer than 0\.3 s"):
        check_environment(endless, GAME, timeout_s=0.3)


def test_a_module_of_the_browser_only(tmp_path: Path) -> None:
    """What can only be imported in the browser is noted, not refused."""
    note = check_environment(environment(tmp_path, "import random\nimport js\n"), GAME)
    assert note is not None
    assert note.startswith(f"{tmp_path / 'counting.py'}:2: not checked: 'js' is not installed")


@pytest.mark.parametrize("helper", ["helper.py", "helper/__init__.py"])
def test_a_module_beside_the_file(tmp_path: Path, helper: str) -> None:
    """An environment cannot import its neighbours, since the browser gets one file."""
    (tmp_path / helper).parent.mkdir(exist_ok=True)
    (tmp_path / helper).touch()
    error = refusal(tmp_path, "import helper.part\n")
    assert "must be one file" in error.sentence
    assert error.line == 1
