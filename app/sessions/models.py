"""What the server knows of one participant, as immutable data.

Times are UTC seconds (`app.clock`); `*_s` are durations in seconds.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from app.studies import StagerState


class LinkState(StrEnum):
    """The session's hold on its participant."""

    CONNECTED = "connected"
    AWAY = "away"
    GONE = "gone"


class RuntimeState(StrEnum):
    """The participant's Python."""

    COLD = "cold"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


class PlaceState(StrEnum):
    """Where the participant is."""

    LOBBY = "lobby"
    WAITING = "waiting"
    PLAYING = "playing"
    FINISHED = "finished"


class GraceKind(StrEnum):
    """Which deadline a lost link was given."""

    LOADING = "loading"
    RECONNECT = "reconnect"
    NONE = "none"


class LossCause(StrEnum):
    """What ended a connection, as far as the server can tell."""

    PAGE_CLOSED = "page_closed"
    """The browser says that the page goes away: closed, reloaded or crashed (close code 1001)."""
    PAGE_DISCONNECTED = "page_disconnected"
    """The page ended this connection itself, to make another one or because it gave it up."""
    NETWORK_LOST = "network_lost"
    """The browser does not answer, or the stream broke: killed, asleep, or out of reach."""
    HEARTBEAT_MISSED = "heartbeat_missed"
    """The browser may be there, but a page that does not load answered nothing for too long."""
    SERVER_CLOSED = "server_closed"
    """The server ended it: the page sent what is no packet, or did not take what it was sent."""
    SERVER_RESTART = "server_restart"
    """The server itself was down."""


class WhyGone(StrEnum):
    """Why a session ended."""

    DEADLINE_PASSED = "deadline_passed"
    LEFT = "left"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The link. `deadline` is when an `away` link is over, and when a `gone` session is pruned."""

    state: LinkState
    since: float
    deadline: float | None = None
    grace: GraceKind | None = None
    why: WhyGone | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """A load under way. `overdue`: its deadline passed while the page stayed connected."""

    attempt_id: str
    path: str
    where: str
    stage: str
    deadline: float
    overdue: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How much loading grace is left while nothing loads; it only runs while something does.

    `page_s`: left of this page's clock. `budget_s`: left of the session's loading budget.
    `stages`: how many stages this page has reached, so that none extends the clock twice.
    """

    page_s: float
    budget_s: float
    stages: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The runtime. `loading` is there while the state is `loading`; `since` is of the state."""

    state: RuntimeState
    since: float
    allowance: Allowance
    loading: Loading | None = None
    ended_attempts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The place. `queued_at` orders a waiting room and is kept while playing, for a way back."""

    state: PlaceState
    since: float
    game_id: str | None = None
    queued_at: float | None = None
    deadline: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One participant, beyond every connection.

    `epoch` counts the connections; `page_id` is the page of the current or last one;
    `replaced_pages` may not come back. `study` is the study's id, `participant` a mere label.
    """

    id: str
    study: str
    participant: str | None
    created_at: float
    epoch: int
    page_id: str
    link: Link
    runtime: Runtime
    place: Place
    scene: StagerState
    replaced_pages: tuple[str, ...] = field(default=())

    @property
    def deadline(self) -> float | None:
        """When the sweeper has to look at this session next, or None."""
        if self.link.state is not LinkState.CONNECTED:
            return self.link.deadline
        pending = [self.place.deadline]
        if self.runtime.loading is not None and not self.runtime.loading.overdue:
            pending.append(self.runtime.loading.deadline)
        return min((at for at in pending if at is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The times that the machines decide by, in seconds (`app.settings` explains each)."""

    loading_timeout_s: float = 60.0
    loading_budget_s: float = 180.0
    loading_grace: bool = True
    reconnect_grace_s: float = 15.0
    gone_kept_s: float = 3600.0

    def fresh_allowance(self) -> Allowance:
        """The loading grace of a session that has used none of it."""
        return Allowance(page_s=self.loading_timeout_s, budget_s=self.loading_budget_s)
