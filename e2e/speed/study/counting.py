"""An environment for two (PettingZoo's parallel API) that counts what its players do."""

from typing import Any

PLAYERS = ["player_0", "player_1"]
LAST_STEP = 1_000_000


class Counting:
    """Each player's actions, added up."""

    possible_agents = PLAYERS

    def reset(self, seed: int | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin; the seed changes nothing."""
        self.agents = list(PLAYERS)
        self.steps, self.sums = 0, dict.fromkeys(PLAYERS, 0)
        return self._observations(), {player: {} for player in PLAYERS}

    def step(self, actions: dict[str, Any]) -> tuple[dict[str, Any], ...]:
        """Add the actions up."""
        self.steps += 1
        for player in PLAYERS:
            self.sums[player] += int(actions[player])
        over = dict.fromkeys(PLAYERS, self.steps >= LAST_STEP)
        rewards = dict.fromkeys(PLAYERS, 0.0)
        none = dict.fromkeys(PLAYERS, False)
        return self._observations(), rewards, none, over, {player: {} for player in PLAYERS}

    def render(self) -> list[dict[str, Any]]:
        """The sums, as text."""
        return [{"shape": "text", "x": 20, "y": 40, "text": str(self.sums), "size": 20}]

    def state(self) -> list[int]:
        """What a state hash is made of."""
        return [self.steps, *self.sums.values()]

    def _observations(self) -> dict[str, Any]:
        return dict(self.sums)


def parallel_env() -> Counting:
    """The environment."""
    return Counting()
