"""The example study that has a Python package."""

import importlib
from pathlib import Path

import app.examples.maze_race
from app.python.lock import read_lock
from app.python.target import target_of
from app.services.packages import lock_file, served_lock
from app.services.study_files import load_study, read_study
from app.studies import End, Game, Text

FOLDER = Path(app.examples.maze_race.__path__[0])


def test_it_can_be_served() -> None:
    """The study loads, its environment passes the check, and nothing is left to note."""
    loaded = load_study(FOLDER)
    assert [type(scene) for scene in loaded.study.scenes] == [Text, Game, End]
    assert loaded.notes == ()


def test_its_lock_fits() -> None:
    """It was written for the packages that the study names, and for the Pyodide that is served."""
    written = read_study(FOLDER)
    lock = read_lock(lock_file(written.path))
    assert lock is not None
    assert lock.misfit(tuple(written.study.packages), (), target_of(served_lock())) is None
    assert all(wheel.pure for wheel in lock.wheels)


def test_its_canvas_fits_the_environment() -> None:
    """The scene's canvas, pace and controls are those that the environment is made for."""
    study = importlib.import_module("app.examples.maze_race.study").study
    mazes = importlib.import_module("app.examples.maze_race.maze_race")
    game = study.scenes[1]
    assert (game.width, game.height) == (mazes.WIDTH, mazes.HEIGHT)
    assert game.steps_per_s == mazes.STEPS_PER_S
    assert [control.value for control in game.controls] == list(mazes.MOVES)
    assert game.config["max_steps"] == 180 * mazes.STEPS_PER_S
