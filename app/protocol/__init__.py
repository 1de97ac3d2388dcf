"""The wire: every event name and payload, once, as data.

Names are fixed and payloads may gain fields. `static/js/protocol.js` states the same names for the
page, and a unit test holds the two against each other.
"""

from app.protocol.connect import ConnectAuth, RuntimeRestated
from app.protocol.messages import (
    CLIENT_MESSAGES,
    AdvanceScene,
    ClientMessage,
    EnvironmentFailed,
    GameStateHash,
    JoinGame,
    Leave,
    LoadingComplete,
    LoadingProgress,
    LoadingReport,
    LoadingStart,
    PlayerAction,
    PlayerReady,
)
from app.protocol.names import (
    LOADING_STAGES,
    ClientEvent,
    EndReason,
    ErrorCode,
    ServerEvent,
)
from app.protocol.parsing import MAX_MESSAGE_BYTES, parse_auth, parse_message

__all__ = [
    "CLIENT_MESSAGES",
    "LOADING_STAGES",
    "MAX_MESSAGE_BYTES",
    "AdvanceScene",
    "ClientEvent",
    "ClientMessage",
    "ConnectAuth",
    "EndReason",
    "EnvironmentFailed",
    "ErrorCode",
    "GameStateHash",
    "JoinGame",
    "Leave",
    "LoadingComplete",
    "LoadingProgress",
    "LoadingReport",
    "LoadingStart",
    "PlayerAction",
    "PlayerReady",
    "RuntimeRestated",
    "ServerEvent",
    "parse_auth",
    "parse_message",
]
