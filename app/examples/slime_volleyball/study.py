"""The study served when no other is named: instructions, a game of slime volleyball, thanks."""

from app.studies import Control, End, Game, Study, Text

INSTRUCTIONS = """
You will play a short game of **slime volleyball** with another participant.

| Key | What your slime does |
|:--|:--|
| ← or A | moves to the left |
| → or D | moves to the right |
| ↑, W or the space bar | jumps |

- Hit the ball over the net with your slime. You may hit it as often as you like.
- When the ball touches the sand, the player on the **other** side scores a point.
- Whoever has **five points** first wins; after two minutes the game ends in any case.

The blue slime plays on the left, the orange one on the right. Yours is the one that moves when you
press a key.

If the connection drops or the page stands still for a while, **do not close this tab**. Your place
is kept, the game pauses for both of you, and it goes on where it stopped.
"""

THANKS = """
The game is over. Thank you for taking part!

You may close this tab now.
"""

study = Study(
    study_id="slime-volleyball",
    title="Slime volleyball",
    scenes=[
        Text(
            scene_id="welcome",
            title="Welcome",
            markdown=INSTRUCTIONS,
            button="Start",
        ),
        Game(
            scene_id="match",
            title="The match",
            markdown="First to five points wins.",
            environment="slime_volleyball.py",
            players=2,
            steps_per_s=30,
            width=800,
            height=400,
            controls=[
                Control(label="Left", keys=["ArrowLeft", "KeyA"], value=1),
                Control(label="Right", keys=["ArrowRight", "KeyD"], value=2),
                Control(label="Jump", keys=["ArrowUp", "KeyW", "Space"], value=4),
            ],
            config={"points_to_win": 5, "max_steps": 30 * 120},
        ),
        End(scene_id="thanks", title="Thank you", markdown=THANKS),
    ],
)
