"""A study whose environment raises after a second of play."""

from app.studies import End, Game, Study

study = Study(
    study_id="raises",
    title="An environment that fails",
    scenes=[
        Game(scene_id="match", title="It will fail", environment="raising_environment.py"),
        End(scene_id="thanks", title="Thank you", markdown="That was all."),
    ],
)
