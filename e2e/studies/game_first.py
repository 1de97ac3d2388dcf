"""A study whose first scene is the game: whoever opens it waits, loads and is matched at once.

The environment is the shipped one, copied beside this file by `e2e/study_files.py`. Three points
need more than `max_steps`, so every episode has exactly that many.
"""

from app.studies import Control, End, Game, Study

study = Study(
    study_id="game-first",
    title="The game comes first",
    scenes=[
        Game(
            scene_id="match",
            title="A short match",
            markdown="Five seconds of slime volleyball.",
            environment="slime_volleyball.py",
            width=800,
            height=400,
            controls=[
                Control(label="Left", keys=["ArrowLeft", "KeyA"], value=1),
                Control(label="Right", keys=["ArrowRight", "KeyD"], value=2),
                Control(label="Jump", keys=["ArrowUp", "KeyW"], value=4),
            ],
            config={"points_to_win": 3, "max_steps": 150},
        ),
        End(scene_id="thanks", title="Thank you", markdown="That was all."),
    ],
)
