"""The study that is measured: a game at once, whose environment does next to nothing."""

from app.studies import End, Game, Study

study = Study(
    study_id="speed",
    title="Speed",
    scenes=(
        Game(
            scene_id="game",
            title="A game",
            environment="counting.py",
            players=2,
            steps_per_s=30,
            waiting_timeout_s=None,
        ),
        End(scene_id="end", title="The end", markdown="That was all."),
    ),
)
