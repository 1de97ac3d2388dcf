"""The study that ships with the server."""

import importlib
from pathlib import Path

import app.examples.slime_volleyball
from app.services.study_files import load_study
from app.studies import End, Game, Text


def test_it_can_be_served() -> None:
    """The shipped study loads, its environment passes the check, and nothing is left to note."""
    loaded = load_study(Path(app.examples.slime_volleyball.__path__[0]))
    assert [type(scene) for scene in loaded.study.scenes] == [Text, Game, End]
    assert loaded.notes == ()


def test_its_canvas_fits_the_environment() -> None:
    """The scene's canvas and pace are those that the environment draws and computes for."""
    study = importlib.import_module("app.examples.slime_volleyball.study").study
    slimes = importlib.import_module("app.examples.slime_volleyball.slime_volleyball")
    game = study.scenes[1]
    assert (game.width, game.height) == (slimes.WIDTH, slimes.HEIGHT)
    assert game.steps_per_s == slimes.STEPS_PER_S
    assert [control.value for control in game.controls] == [slimes.LEFT, slimes.RIGHT, slimes.JUMP]
