"""Lockstep: every player's actions, frame by frame, complete and in order.

All browsers step the same seeded environment, so the actions are all that has to travel. An
action sent at frame f counts in step f + delay; the first `delay` steps have no action (0). A step
is complete once every player's action for it is there, and only then may anybody apply it.
"""

from collections.abc import Sequence
from typing import Any

NO_ACTION = 0
"""What players do in the steps before their first action can count."""


class ActionOutOfTurn(Exception):
    """An action for a frame that its player cannot have come to yet.

    Attributes:
        expected: the frame that was expected.
    """

    def __init__(self, expected: int) -> None:
        self.expected = expected
        super().__init__(f"the action of frame {expected} was expected")


class Lockstep:
    """The actions of one game.

    Args:
        players: number of seats.
        delay: input delay, in frames.
        hash_window: how many state hashes of each player are kept for comparison.
    """

    def __init__(self, players: int, delay: int, hash_window: int = 64) -> None:
        self.delay = delay
        self._steps: list[list[Any]] = [[NO_ACTION] * players for _ in range(delay)]
        self._pending: list[list[Any]] = [[] for _ in range(players)]
        self._hashes: list[dict[int, str]] = [{} for _ in range(players)]
        self._hash_window = hash_window

    @property
    def complete(self) -> int:
        """How many steps are complete, the first `delay` included."""
        return len(self._steps)

    def next_frame(self, seat: int) -> int:
        """The frame whose action is expected from this player next."""
        return self.complete - self.delay + len(self._pending[seat])

    def accept(self, seat: int, frame: int, action: Any) -> list[list[Any]]:
        """Take a player's action, and return the steps that it completed.

        A frame that was taken before is ignored: a page that is not sure sends again.

        Raises:
            ActionOutOfTurn: a frame is missing before it, or it is further ahead than the player
                can have stepped.
        """
        expected = self.next_frame(seat)
        if frame < expected:
            return []
        if frame > expected or frame > self.complete:
            raise ActionOutOfTurn(expected)
        self._pending[seat].append(action)
        if not all(self._pending):
            return []
        completed = []
        while all(self._pending):
            completed.append([pending.pop(0) for pending in self._pending])
        self._steps.extend(completed)
        return completed

    def steps_from(self, frame: int) -> list[list[Any]]:
        """The complete steps from `frame` on, every player's action in each."""
        return self._steps[frame:]

    def compare(self, seat: int, frame: int, digest: str) -> Sequence[str | None] | None:
        """Keep a player's state hash of a frame; None while the players' hashes agree.

        Returns:
            When two differ, every player's hash of that frame in the order of the seats (None
            where it is not known).
        """
        mine = self._hashes[seat]
        mine[frame] = digest
        if len(mine) > self._hash_window:
            del mine[min(mine)]
        known = [hashes.get(frame) for hashes in self._hashes]
        return known if len({one for one in known if one is not None}) > 1 else None

    def agreed_by_all(self, frame: int) -> bool:
        """Whether every player has sent a hash of that frame, and all are equal."""
        known = [hashes.get(frame) for hashes in self._hashes]
        return None not in known and len(set(known)) == 1
