"""The names on the wire: events, error codes, reasons, stages."""

from enum import StrEnum


class ClientEvent(StrEnum):
    """What a page says to the server."""

    LOADING_START = "pyodide_loading_start"
    LOADING_PROGRESS = "pyodide_loading_progress"
    LOADING_COMPLETE = "pyodide_loading_complete"
    JOIN_GAME = "join_game"
    PLAYER_READY = "player_ready"
    PLAYER_ACTION = "player_action"
    GAME_STATE_HASH = "game_state_hash"
    ENVIRONMENT_FAILED = "environment_failed"
    ADVANCE_SCENE = "advance_scene"
    LEAVE = "leave"


class ServerEvent(StrEnum):
    """What the server says to a page."""

    SESSION_OPENED = "session_opened"
    SCENE_ACTIVATED = "scene_activated"
    WAITING_ROOM = "waiting_room"
    GAME_MATCHED = "game_matched"
    GAME_STARTED = "game_started"
    GAME_PAUSED = "game_paused"
    GAME_RESUMED = "game_resumed"
    GAME_ENDED = "game_ended"
    FRAME_ACTIONS = "frame_actions"
    PARTNER_STATUS = "partner_status"
    SESSION_TAKEN_OVER = "session_taken_over"


class ErrorCode(StrEnum):
    """Why a message or a CONNECT was refused."""

    INVALID_MESSAGE = "invalid_message"
    TOO_LARGE = "too_large"
    UNKNOWN_EVENT = "unknown_event"
    OUT_OF_TURN = "out_of_turn"
    UNKNOWN_GAME = "unknown_game"
    RATE_LIMITED = "rate_limited"
    TRY_AGAIN = "try_again"
    SESSION_OVER = "session_over"
    SESSION_TAKEN_OVER = "session_taken_over"
    SESSION_EXPIRED = "session_expired"
    INVALID_AUTH = "invalid_auth"
    UNKNOWN_STUDY = "unknown_study"
    SERVER_STOPPING = "server_stopping"
    INTERNAL_ERROR = "internal_error"


class EndReason(StrEnum):
    """Why a game ended."""

    COMPLETED = "completed"
    DESYNC = "desync"
    ENVIRONMENT_FAILED = "environment_failed"
    PLAYER_LEFT = "player_left"
    PLAYER_GONE = "player_gone"
    PLAYER_FAILED = "player_failed"
    START_TIMEOUT = "start_timeout"
    RESUME_TIMEOUT = "resume_timeout"
    SERVER_RESTARTED = "server_restarted"


LOADING_STAGES: tuple[str, ...] = ("runtime", "packages", "environment")
"""The stages of a load, in order; `pyodide_loading_start` is the beginning of the first."""
