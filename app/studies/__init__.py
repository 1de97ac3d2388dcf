"""Studies: what an experimenter writes, and the stager that leads a session through it.

A study is a Python file that ends with a `study`:

    from app.studies import Control, End, Game, Study, Text

    left = Control(label="Left", keys=["ArrowLeft", "KeyA"], value=1)
    study = Study(
        study_id="pong-1",
        title="Pong for two",
        scenes=[
            Text(scene_id="welcome", title="Welcome", markdown="Please *read* this."),
            Game(scene_id="match", title="The match", environment="pong.py", controls=[left]),
            End(scene_id="thanks", title="Thank you", markdown="You may close this tab."),
        ],
    )

Pure: the standard library and `app.errors`, nothing else.
"""

from app.studies.models import Control, End, Game, Scene, Study, Text
from app.studies.stager import Stager, StagerState

__all__ = ["Control", "End", "Game", "Scene", "Stager", "StagerState", "Study", "Text"]
