/**
 * The wire, once, as the page sees it: names of events, codes, reasons and stages, and the shapes
 * of payloads. A test compares the names with the server's.
 *
 * Times are in seconds unless a name ends in `_ms`.
 */

/** What the page says. */
export const CLIENT_EVENTS = Object.freeze({
  LOADING_START: "pyodide_loading_start",
  LOADING_PROGRESS: "pyodide_loading_progress",
  LOADING_COMPLETE: "pyodide_loading_complete",
  JOIN_GAME: "join_game",
  PLAYER_READY: "player_ready",
  PLAYER_ACTION: "player_action",
  GAME_STATE_HASH: "game_state_hash",
  ENVIRONMENT_FAILED: "environment_failed",
  ADVANCE_SCENE: "advance_scene",
  LEAVE: "leave",
});

/** What the server says. */
export const SERVER_EVENTS = Object.freeze({
  SESSION_OPENED: "session_opened",
  SCENE_ACTIVATED: "scene_activated",
  WAITING_ROOM: "waiting_room",
  GAME_MATCHED: "game_matched",
  GAME_STARTED: "game_started",
  GAME_PAUSED: "game_paused",
  GAME_RESUMED: "game_resumed",
  GAME_ENDED: "game_ended",
  FRAME_ACTIONS: "frame_actions",
  PARTNER_STATUS: "partner_status",
  SESSION_TAKEN_OVER: "session_taken_over",
});

/** Why a message or a CONNECT was refused. */
export const ERROR_CODES = Object.freeze({
  INVALID_MESSAGE: "invalid_message",
  TOO_LARGE: "too_large",
  UNKNOWN_EVENT: "unknown_event",
  OUT_OF_TURN: "out_of_turn",
  UNKNOWN_GAME: "unknown_game",
  RATE_LIMITED: "rate_limited",
  TRY_AGAIN: "try_again",
  SESSION_OVER: "session_over",
  SESSION_TAKEN_OVER: "session_taken_over",
  SESSION_EXPIRED: "session_expired",
  INVALID_AUTH: "invalid_auth",
  UNKNOWN_STUDY: "unknown_study",
  SERVER_STOPPING: "server_stopping",
  INTERNAL_ERROR: "internal_error",
});

/** Why a game ended. */
export const END_REASONS = Object.freeze({
  COMPLETED: "completed",
  DESYNC: "desync",
  ENVIRONMENT_FAILED: "environment_failed",
  PLAYER_LEFT: "player_left",
  PLAYER_GONE: "player_gone",
  PLAYER_FAILED: "player_failed",
  START_TIMEOUT: "start_timeout",
  RESUME_TIMEOUT: "resume_timeout",
  SERVER_RESTARTED: "server_restarted",
});

/** The stages of a load, in order; `pyodide_loading_start` is the beginning of the first. */
export const LOADING_STAGES = /** @type {const} */ (["runtime", "packages", "environment"]);

/**
 * @typedef {(typeof LOADING_STAGES)[number]} LoadingStage
 * @typedef {"preload" | "fallback"} LoadingPath
 * @typedef {"cold" | "loading" | "ready" | "failed"} RuntimeState
 * @typedef {"lobby" | "waiting" | "playing" | "finished"} Place
 * @typedef {number} Action bitwise OR of the held controls' values; 0 is nothing
 * @typedef {Action[]} StepActions every player's action in one step, in the order of `players`
 */

/**
 * @typedef {object} Control
 * @property {string} label
 * @property {string[]} keys `KeyboardEvent.code` names
 * @property {number} value one bit
 *
 * @typedef {{frames?: number, rewards?: Record<string, number>}} GameResult
 *
 * @typedef {object} TextScene
 * @property {"text"} kind
 * @property {string} scene_id
 * @property {string} title
 * @property {string} html rendered and escaped by the server
 * @property {string} button
 *
 * @typedef {object} GameScene
 * @property {"game"} kind
 * @property {string} scene_id
 * @property {string} title
 * @property {string} html rendered and escaped by the server
 * @property {string} environment_url
 * @property {number} players
 * @property {number} steps_per_s
 * @property {number} width canvas units
 * @property {number} height canvas units
 * @property {Control[]} controls
 * @property {Record<string, unknown>} config keyword arguments of `parallel_env()`
 * @property {boolean} done true: this game was already played
 * @property {GameResult | null} [result]
 *
 * @typedef {object} EndScene
 * @property {"end"} kind
 * @property {string} scene_id
 * @property {string} title
 * @property {string} html rendered and escaped by the server
 *
 * @typedef {TextScene | GameScene | EndScene} Scene
 */

/**
 * @typedef {object} MatchedGame
 * @property {string} game_id
 * @property {string[]} players agent names in the order of `StepActions`
 * @property {string} you
 * @property {number} seed
 * @property {number} input_delay_frames
 *
 * @typedef {object} GameProgress a game as `session_opened` restores it
 * @property {boolean} started
 * @property {boolean} paused
 * @property {number} from_frame
 * @property {StepActions[]} actions actions of step `from_frame`, `from_frame + 1`, ...
 * @property {number} next_frame the next `frame` expected in this player's `player_action`
 *
 * @typedef {MatchedGame & GameProgress} Game
 *
 * @typedef {object} SessionOpened
 * @property {string} session_id
 * @property {string} token
 * @property {number} epoch
 * @property {boolean} resumed
 * @property {string} link
 * @property {RuntimeState} runtime
 * @property {Place} place
 * @property {Scene} scene
 * @property {Game | null} [game]
 * @property {number} [heartbeat_timeout_s] how long the page waits for a heartbeat while it does not
 *   load; absent where only Engine.IO watches
 *
 * @typedef {{waiting: number, needed: number, seconds_left: number | null}} WaitingRoom
 * @typedef {{game_id: string, frame: number}} GameAt
 * @typedef {{game_id: string, frame: number, player: string}} GamePaused
 * @typedef {{game_id: string, reason: string, result?: GameResult | null, place: Place}} GameEnded
 * @typedef {{game_id: string, from_frame: number, actions: StepActions[]}} FrameActions
 *
 * @typedef {object} PartnerStatus
 * @property {string} game_id
 * @property {string} player
 * @property {"connected" | "busy" | "away" | "gone"} link
 * @property {RuntimeState} runtime
 * @property {number | null} [seconds_left]
 */

/**
 * @typedef {object} ServerPayloads the payload of every server event, by its name
 * @property {SessionOpened} session_opened
 * @property {Scene} scene_activated
 * @property {WaitingRoom} waiting_room
 * @property {MatchedGame} game_matched
 * @property {GameAt} game_started
 * @property {GamePaused} game_paused
 * @property {GameAt} game_resumed
 * @property {GameEnded} game_ended
 * @property {FrameActions} frame_actions
 * @property {PartnerStatus} partner_status
 * @property {Record<string, never>} session_taken_over
 */

/**
 * @typedef {object} LoadingReport what the page measured of one load
 * @property {LoadingPath} path
 * @property {number} total_ms
 * @property {Partial<Record<LoadingStage, number>>} stages_ms
 * @property {number} longest_block_ms longest time the main thread answered nothing
 * @property {number} block_count
 * @property {number} missed_heartbeats heartbeats that were due while none was handled
 * @property {number | null} longest_frame_gap_ms between two animation frames; null: it had none
 * @property {"main" | "worker"} [runtime] the thread that it ended in
 * @property {"restored" | "none" | "failed"} [snapshot]
 * @property {string} [snapshot_error]
 * @property {string} [worker_error]
 *
 * @typedef {object} RestatedRuntime the runtime as CONNECT restates it
 * @property {RuntimeState} state
 * @property {string} [attempt_id]
 * @property {LoadingStage} [stage]
 *
 * @typedef {object} ConnectAuth the `auth` of a CONNECT
 * @property {string} page_id
 * @property {string} [token]
 * @property {string} [study]
 * @property {string} [participant]
 * @property {number} [last_frame] frames of its game that the page has applied
 * @property {RestatedRuntime} runtime
 *
 * @typedef {{code: string, message: string}} WireError
 * @typedef {Record<string, unknown> & {ok: true}} Accepted
 * @typedef {Accepted | {ok: false, error: WireError}} Acknowledgement
 */
