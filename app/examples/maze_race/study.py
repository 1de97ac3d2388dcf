"""A study with a Python package: instructions, a race through mazes of NetworkX, thanks."""

from app.studies import Control, End, Game, Study, Text

INSTRUCTIONS = """
You will race another participant through **mazes**.

| Key | Where you run |
|:--|:--|
| ← or A | left |
| → or D | right |
| ↑ or W | up |
| ↓ or S | down |

- Blue starts on the left, Orange on the right. The golden flag is **equally far** from both.
- While the countdown runs, look for your way. Then hold a key to run; with two keys held you take
  the first turn that opens.
- Whoever is at the flag first wins the round. Then the golden dots show a shortest way.
- Whoever has **three rounds** first wins; after three minutes the game ends in any case.

If the connection drops or the page stands still for a while, **do not close this tab**. Your place
is kept, the game pauses for both of you, and it goes on where it stopped.
"""

THANKS = """
The race is over. Thank you for taking part!

You may close this tab now.
"""

study = Study(
    study_id="maze-race",
    title="Maze race",
    # What the environment imports. The server plays it too, at start, with its own Python, which
    # may be too old for NetworkX 3.7.
    packages=["networkx>=3.4,<3.7"],
    scenes=[
        Text(
            scene_id="welcome",
            title="Welcome",
            markdown=INSTRUCTIONS,
            button="Start",
        ),
        Game(
            scene_id="race",
            title="The race",
            markdown="First to three rounds wins.",
            environment="maze_race.py",
            players=2,
            steps_per_s=30,
            width=800,
            height=480,
            controls=[
                Control(label="Left", keys=["ArrowLeft", "KeyA"], value=1),
                Control(label="Right", keys=["ArrowRight", "KeyD"], value=2),
                Control(label="Up", keys=["ArrowUp", "KeyW"], value=4),
                Control(label="Down", keys=["ArrowDown", "KeyS"], value=8),
            ],
            config={"rounds_to_win": 3, "max_steps": 30 * 180},
        ),
        End(scene_id="thanks", title="Thank you", markdown=THANKS),
    ],
)
