"""What the server keeps of one game, as immutable data. Times are UTC seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class GameState(StrEnum):
    """A game's life. `paused` is a game that has started and waits for a player."""

    MATCHED = "matched"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"


def player_name(seat: int) -> str:
    """The player's name in the environment (PettingZoo's usual `player_N`)."""
    return f"player_{seat}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Game:
    """One game. `members` are session ids in the order of the seats.

    `ready[seat]` is the epoch of the connection on which that player last said `player_ready`, or
    None: a player who comes back on another connection has to say it again.
    `deadline` is when the game is given up because it has not started or gone on, else None.
    """

    id: str
    study: str
    scene_id: str
    members: tuple[str, ...]
    seed: int
    state: GameState
    created_at: float
    ready: tuple[int | None, ...]
    deadline: float | None = None
    waiting_for: str | None = None
    ended_at: float | None = None
    reason: str | None = None
    result: Mapping[str, Any] | None = None
    frames: int = 0

    @property
    def players(self) -> tuple[str, ...]:
        """The players' names, in the order of the seats."""
        return tuple(player_name(seat) for seat in range(len(self.members)))

    def seat_of(self, session_id: str) -> int:
        """The seat of a member; ValueError for anybody else."""
        return self.members.index(session_id)

    @property
    def has_started(self) -> bool:
        """Whether the players have begun to step the environment."""
        return self.state in (GameState.RUNNING, GameState.PAUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerStatus:
    """What the partners may know of a player, and what the game decides by.

    `link` and `runtime` are the session's states; `busy` says that the connected page answers
    nothing; `left` tells a deliberate leave from a deadline; `deadline` is of the grace or the
    load, if there is one.
    """

    player: str
    epoch: int
    link: str
    runtime: str
    busy: bool = False
    left: bool = False
    deadline: float | None = None
