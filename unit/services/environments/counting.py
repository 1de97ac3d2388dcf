"""The smallest environment that keeps to the whole API: it adds up the actions."""

import random
from typing import Any


class Counting:
    """Every player's actions so far, and a seeded number at the start."""

    def __init__(self, players: int, length: int) -> None:
        self.possible_agents = [f"player_{index}" for index in range(players)]
        self.agents: list[str] = []
        self.length = length
        self.counts: dict[str, int] = {}

    def reset(self, seed: int | None = None) -> tuple[dict[str, int], dict[str, Any]]:
        """Begin an episode of `length` steps."""
        self.agents = list(self.possible_agents)
        self.start = random.Random(seed).randrange(1000)
        self.counts = dict.fromkeys(self.agents, self.start)
        self.steps = 0
        return dict(self.counts), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, int]) -> tuple[dict[str, Any], ...]:
        """Add the actions."""
        self.steps += 1
        agents = self.agents
        for agent in agents:
            self.counts[agent] += actions[agent]
        over = dict.fromkeys(agents, self.steps >= self.length)
        if self.steps >= self.length:
            self.agents = []
        rewards = {agent: float(actions[agent]) for agent in agents}
        infos = {agent: {"count": self.counts[agent], "history": [1, 2]} for agent in agents}
        return dict(self.counts), rewards, over, dict.fromkeys(agents, False), infos

    def render(self) -> list[dict[str, Any]]:
        """Show the number of steps."""
        return [{"shape": "text", "x": 5, "y": 20, "text": str(self.steps), "size": 12}]


def parallel_env(players: int = 2, length: int = 20) -> Counting:
    """Return the environment."""
    return Counting(players, length)
