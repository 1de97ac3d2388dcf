"""What a page may say, one model a message. A payload that does not fit is refused whole."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from app.protocol.fields import Action, Count, Identifier, Milliseconds, PageMadeId, Payload
from app.protocol.names import ClientEvent

Stage = Literal["runtime", "packages", "environment"]
Path = Literal["preload", "fallback"]
Runtime = Literal["main", "worker"]
Reason = Annotated[str, StringConstraints(max_length=500)]


class LoadingReport(Payload):
    """What the page measured of one load.

    `longest_block_ms` is the longest task of the page's main thread (Long Tasks API);
    `missed_heartbeats` counts PINGs that were due while no PING was handled;
    `longest_frame_gap_ms` is the longest time between two animation frames, which a hidden page
    does not have. `runtime` is the thread that Python ended in, `worker_error` why that is not the
    one that was announced; `snapshot_error` is why a snapshot could not be restored.
    """

    path: Path | None = None
    total_ms: Milliseconds | None = None
    stages_ms: Annotated[dict[Stage, Milliseconds], Field(max_length=3, default_factory=dict)]
    longest_block_ms: Milliseconds | None = None
    block_count: Count | None = None
    missed_heartbeats: Count | None = None
    longest_frame_gap_ms: Milliseconds | None = None
    runtime: Runtime | None = None
    snapshot: Literal["restored", "none", "failed"] | None = None
    snapshot_error: Reason | None = None
    worker_error: Reason | None = None


class LoadingStart(Payload):
    """`pyodide_loading_start`: the page is about to load Python and may answer nothing."""

    attempt_id: PageMadeId
    path: Path
    runtime: Runtime


class LoadingProgress(Payload):
    """`pyodide_loading_progress`: the load has reached a stage."""

    attempt_id: PageMadeId
    stage: Stage


class LoadingComplete(Payload):
    """`pyodide_loading_complete`: the load is over; `error` says why when it failed."""

    attempt_id: PageMadeId
    error: Annotated[str, StringConstraints(min_length=1, max_length=4000)] | None = None
    report: LoadingReport | None = None


class JoinGame(Payload):
    """`join_game`: queue for the current scene's game."""


class PlayerReady(Payload):
    """`player_ready`: Python is ready and the environment is at the game's present frame."""

    game_id: Identifier


class PlayerAction(Payload):
    """`player_action`: what this player does at `frame`; frames follow each other without gap."""

    game_id: Identifier
    frame: Count
    action: Action


class GameStateHash(Payload):
    """`game_state_hash`: a digest of the state after `frame` steps.

    `result` is there once the episode is over at that frame.
    """

    game_id: Identifier
    frame: Count
    hash: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    result: Annotated[dict[str, Any], Field(max_length=64)] | None = None


class EnvironmentFailed(Payload):
    """`environment_failed`: the environment raised in this browser."""

    game_id: Identifier
    frame: Count
    traceback: Annotated[str, StringConstraints(max_length=16_000)]


class AdvanceScene(Payload):
    """`advance_scene`: go on from the scene named; it is idempotent because it is named."""

    scene_id: Identifier


class Leave(Payload):
    """`leave`: the participant ends the session."""


ClientMessage = (
    LoadingStart
    | LoadingProgress
    | LoadingComplete
    | JoinGame
    | PlayerReady
    | PlayerAction
    | GameStateHash
    | EnvironmentFailed
    | AdvanceScene
    | Leave
)

CLIENT_MESSAGES: dict[str, type[ClientMessage]] = {
    ClientEvent.LOADING_START: LoadingStart,
    ClientEvent.LOADING_PROGRESS: LoadingProgress,
    ClientEvent.LOADING_COMPLETE: LoadingComplete,
    ClientEvent.JOIN_GAME: JoinGame,
    ClientEvent.PLAYER_READY: PlayerReady,
    ClientEvent.PLAYER_ACTION: PlayerAction,
    ClientEvent.GAME_STATE_HASH: GameStateHash,
    ClientEvent.ENVIRONMENT_FAILED: EnvironmentFailed,
    ClientEvent.ADVANCE_SCENE: AdvanceScene,
    ClientEvent.LEAVE: Leave,
}
"""The payload of every event that a page may send."""
