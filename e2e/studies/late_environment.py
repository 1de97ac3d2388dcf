"""Two players who do nothing. What it does at some steps no snapshot has seen before.

It imports a module of the standard library, reads the source line of another, and grows past the
memory that an interpreter starts with.
"""

from typing import Any

STEPS = 90
IMPORT_AT, READ_AT, GROW_AT = 30, 40, 50
BALLAST_BYTES = 60_000_000


class Late:
    """See above; the state is what came of it."""

    possible_agents = ("player_0", "player_1")

    def reset(self, seed: int | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin with nothing."""
        self.frame = 0
        self.seen: list[object] = []
        self.ballast = b""
        return self._all([]), self._all({})

    def step(self, actions: dict[str, int]) -> tuple[dict[str, Any], ...]:
        """Do what is due."""
        self.frame += 1
        if self.frame == IMPORT_AT:
            import colorsys

            self.seen.append(colorsys.rgb_to_hsv(1, 0, 0))
        elif self.frame == READ_AT:
            import json.decoder
            import linecache

            self.seen.append(linecache.getline(json.decoder.__file__, 1))
        elif self.frame == GROW_AT:
            self.ballast = bytes(BALLAST_BYTES)
            self.seen.append(len(self.ballast))
        over = self.frame >= STEPS
        return (
            self._all(self.seen),
            self._all(0.0),
            self._all(over),
            self._all(False),
            self._all({}),
        )

    def state(self) -> list[Any]:
        """What it has seen."""
        return [self.frame, self.seen]

    def render(self) -> list[Any]:
        """Nothing to be seen."""
        return []

    def _all(self, value: object) -> dict[str, Any]:
        return dict.fromkeys(self.possible_agents, value)


def parallel_env(**config: object) -> Late:
    """The environment."""
    return Late()
