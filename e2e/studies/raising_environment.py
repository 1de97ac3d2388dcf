"""Passes every check of the server, and raises in the browser."""

import sys
from typing import Any

STEPS_BEFORE = 30
PLAYERS = ["player_0", "player_1"]


class RaisingEnvironment:
    """PettingZoo's parallel API, until the step that raises."""

    possible_agents = PLAYERS

    def __init__(self) -> None:
        self.agents = list(PLAYERS)
        self.steps = 0

    def reset(self, seed: int | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin an episode."""
        self.agents, self.steps = list(PLAYERS), 0
        return dict.fromkeys(PLAYERS, 0), {player: {} for player in PLAYERS}

    def step(self, actions: dict[str, Any]) -> tuple[dict[str, Any], ...]:
        """Count; raise in the browser once there were enough."""
        self.steps += 1
        if self.steps > STEPS_BEFORE and sys.platform == "emscripten":
            self.divide_the_prize(among=0)
        never = dict.fromkeys(PLAYERS, False)
        observations = dict.fromkeys(PLAYERS, self.steps)
        return observations, dict.fromkeys(PLAYERS, 0.0), never, never, {p: {} for p in PLAYERS}

    def divide_the_prize(self, among: int) -> float:
        """Where the traceback has to lead."""
        return 1 / among

    def render(self) -> list[dict[str, Any]]:
        """Nothing but a background."""
        return [{"shape": "rect", "x": 0, "y": 0, "width": 600, "height": 400, "fill": "#eee"}]


def parallel_env() -> RaisingEnvironment:
    """The environment."""
    return RaisingEnvironment()
