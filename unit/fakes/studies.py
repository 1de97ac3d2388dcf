"""Small studies, loaded without a file."""

from pathlib import Path
from typing import Any

from app.services.environment_check import EnvironmentSource
from app.services.study_files import LoadedStudy
from app.studies import End, Game, Scene, Study, Text

GAME_SCENE = "match"


def game_scene(**given: Any) -> Game:
    """A game scene for two players; every argument of `Game` can be given."""
    fields: dict[str, Any] = {
        "scene_id": GAME_SCENE,
        "title": "Match",
        "environment": "environment.py",
        **given,
    }
    return Game(**fields)


def study_of(*scenes: Scene, study_id: str = "study") -> LoadedStudy:
    """A study of these scenes; the environments are empty files."""
    games = [scene for scene in scenes if isinstance(scene, Game)]
    source = EnvironmentSource(Path("environment.py"), "# an environment\n")
    return LoadedStudy(
        study=Study(study_id=study_id, title="A study", scenes=scenes),
        environments={scene.scene_id: source for scene in games},
        path=Path("study.py"),
    )


def one_game(**given: Any) -> LoadedStudy:
    """A game, a text, the end. Arguments are those of the game scene."""
    return study_of(
        game_scene(**given),
        Text(scene_id="questions", title="Questions", markdown="How was it?"),
        End(scene_id="end", title="Thank you", markdown="That was all."),
    )
