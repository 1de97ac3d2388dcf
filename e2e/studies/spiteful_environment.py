"""Passes every check of the server, and raises in the browser, with markup for a reason."""

import sys
from typing import Any

if sys.platform == "emscripten":
    raise ValueError(
        '<script>window.stolen = 1</script><img src=x onerror="window.stolen = 1">the reason'
    )


class NothingHappens:
    """PettingZoo's parallel API, with an episode of one step."""

    possible_agents = ("player_0", "player_1")

    def __init__(self) -> None:
        self.agents = list(self.possible_agents)

    def reset(self, seed: int | None = None) -> tuple[dict[str, int], dict[str, dict[str, str]]]:
        """Begin an episode."""
        self.agents = list(self.possible_agents)
        return dict.fromkeys(self.agents, 0), {player: {} for player in self.agents}

    def step(self, actions: dict[str, int]) -> tuple[dict[str, Any], ...]:
        """End it."""
        players, self.agents = self.agents, []
        always = dict.fromkeys(players, True)
        return (
            dict.fromkeys(players, 0),
            dict.fromkeys(players, 0.0),
            always,
            dict.fromkeys(players, False),
            {player: {} for player in players},
        )

    def render(self) -> list[dict[str, object]]:
        """Nothing but a background."""
        return [{"shape": "rect", "x": 0, "y": 0, "width": 600, "height": 400, "fill": "#eee"}]


def parallel_env() -> NothingHappens:
    """The environment."""
    return NothingHappens()
