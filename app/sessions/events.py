"""What can happen to a session. Names are past tense; nothing else can change a session."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.sessions.models import LossCause, RuntimeState
from app.studies import StagerState


@dataclass(frozen=True, slots=True)
class Restated:
    """The runtime as a page states it at CONNECT (not an event of its own)."""

    state: RuntimeState
    attempt_id: str | None = None
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class PageConnected:
    """A connection was made with this session's credential."""

    page_id: str
    runtime: Restated | None = None


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """The connection of `epoch` ended; `close_code` is the browser's, if it sent one.

    `reason` is Engine.IO's word for it, `silent_s` how long the page had answered no heartbeat
    where that is why.
    """

    epoch: int
    reason: str
    close_code: int | None = None
    cause: LossCause = LossCause.NETWORK_LOST
    silent_s: float | None = None


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """The sweeper found this deadline of this epoch to be due."""

    deadline: float
    epoch: int


@dataclass(frozen=True, slots=True)
class ServerRestarted:
    """The server was down for `down_s` and every connection is lost."""

    down_s: float


@dataclass(frozen=True, slots=True)
class LeaveRequested:
    """The participant pressed the button."""


@dataclass(frozen=True, slots=True)
class LoadingStarted:
    """The page is about to load Python."""

    attempt_id: str
    path: str
    where: str


@dataclass(frozen=True, slots=True)
class StageReached:
    """The load has come to a stage."""

    attempt_id: str
    stage: str


@dataclass(frozen=True, slots=True)
class LoadingEnded:
    """The load is over; `error` is None when it succeeded. `report` goes into the log."""

    attempt_id: str
    error: str | None = None
    report: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class QueueJoined:
    """The participant queues for the game of the current scene, for at most `timeout_s`."""

    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class Matched:
    """The session was given a seat."""

    game_id: str


@dataclass(frozen=True, slots=True)
class GameOver:
    """The game ended: back to the queue for at most `timeout_s`, or on with the study.

    `in_front`: with the old place in the queue, before everybody who came later.
    """

    game_id: str
    scene: StagerState
    requeue: bool = False
    in_front: bool = True
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class SceneEntered:
    """The stager moved the session; `final` when it is the end of the study."""

    scene: StagerState
    final: bool = False


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """Inner event: the link became `gone`, so the place is given up (the cleanup)."""


@dataclass(frozen=True, slots=True)
class PageReplaced:
    """Inner event: another page than before connected, and it has no Python yet.

    A client that gives its pages no id is a new page each time; what it restates goes on.
    """

    restated_attempt: str | None = None


SessionEvent = (
    PageConnected
    | ConnectionLost
    | DeadlinePassed
    | ServerRestarted
    | LeaveRequested
    | LoadingStarted
    | StageReached
    | LoadingEnded
    | QueueJoined
    | Matched
    | GameOver
    | SceneEntered
)
