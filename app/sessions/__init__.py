"""PURE: one participant's session as three small machines (link, runtime, place).

Nothing here reads time, does input or output, or knows of a browser: `advance()` takes a session,
an event, the present and the policy, and returns the session and the effects.
"""

from app.sessions.effects import (
    CloseConnection,
    Effect,
    Record,
    RefreshGame,
    RefreshWaitingRoom,
    ShowNextScene,
    Step,
    WakeSweeper,
)
from app.sessions.grace import (
    deadline_of_lost_link,
    excused_until,
    is_client_in_loading_grace,
)
from app.sessions.machine import MACHINES, advance, open_session
from app.sessions.models import (
    GraceKind,
    Link,
    LinkState,
    LossCause,
    Place,
    PlaceState,
    Policy,
    Runtime,
    RuntimeState,
    Session,
    WhyGone,
)
from app.sessions.place import can_be_matched

__all__ = [
    "MACHINES",
    "CloseConnection",
    "Effect",
    "GraceKind",
    "Link",
    "LinkState",
    "LossCause",
    "Place",
    "PlaceState",
    "Policy",
    "Record",
    "RefreshGame",
    "RefreshWaitingRoom",
    "Runtime",
    "RuntimeState",
    "Session",
    "ShowNextScene",
    "Step",
    "WakeSweeper",
    "WhyGone",
    "advance",
    "can_be_matched",
    "deadline_of_lost_link",
    "excused_until",
    "is_client_in_loading_grace",
    "open_session",
]
