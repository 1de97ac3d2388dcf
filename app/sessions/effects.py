"""What is to be done after a session was saved. Names are imperative."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.sessions.models import Session


@dataclass(frozen=True, slots=True)
class Record:
    """Append to the log; saved together with the session, so neither is there alone."""

    event: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CloseConnection:
    """Close the connection of an old epoch; a page that was replaced is told so first."""

    epoch: int
    taken_over: bool


@dataclass(frozen=True, slots=True)
class RefreshWaitingRoom:
    """The queue of a scene has changed: match who can be matched, and tell who waits."""

    scene_id: str


@dataclass(frozen=True, slots=True)
class RefreshGame:
    """A player's link or runtime has changed: tell the partners, pause, go on or end."""

    game_id: str


@dataclass(frozen=True, slots=True)
class ShowNextScene:
    """The participant has waited long enough in this scene and goes on with the study."""

    scene_id: str


@dataclass(frozen=True, slots=True)
class WakeSweeper:
    """A deadline is due at once."""


Effect = Record | CloseConnection | RefreshWaitingRoom | RefreshGame | ShowNextScene | WakeSweeper


@dataclass(frozen=True, slots=True)
class Step:
    """The outcome of a decision.

    `session` is to be saved (None: delete it); then the effects are performed, in order.
    """

    session: Session | None
    effects: tuple[Effect, ...] = ()

    @property
    def records(self) -> tuple[Record, ...]:
        """The effects that belong into the log."""
        return tuple(effect for effect in self.effects if isinstance(effect, Record))
