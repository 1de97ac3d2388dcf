"""A study whose environment imports more as it goes, and takes more memory than it had."""

from app.studies import End, Game, Study

study = Study(
    study_id="late",
    title="An environment that is late",
    scenes=[
        Game(scene_id="match", title="It imports late", environment="late_environment.py"),
        End(scene_id="thanks", title="Thank you", markdown="That was all."),
    ],
)
