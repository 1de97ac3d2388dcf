/**
 * The page's own errors.
 *
 * GraceError
 * ├── RefusedError          the server refused a message; `code` says why
 * ├── ConnectionLostError   the connection ended before the answer came
 * ├── SessionOverError      the session is over or another page has it: nothing more can be said
 * ├── CancelledError        the caller no longer wants the answer
 * ├── LoadingFailedError    Python could not be loaded
 * ├── WorkerFailedError     Python's worker could not be started, or ended while it loaded
 * ├── SnapshotError         a memory snapshot cannot be restored
 * ├── PythonLostError       Python was there and has ended; it can be loaded again
 * ├── EnvironmentError      the study's Python code raised; the message is the traceback
 * └── FrameGapError         actions of a step are missing; a new connection brings them
 */

/** @import { WireError } from "./protocol.js" */

/** Base of every error that the page itself raises. */
export class GraceError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = new.target.name;
  }
}

/** The server acknowledged a message with `{ok: false}`. */
export class RefusedError extends GraceError {
  /** @param {WireError} error */
  constructor({ code, message }) {
    super(message);
    this.code = code;
  }
}

/** The connection ended before the answer came, and the caller did not ask to send again. */
export class ConnectionLostError extends GraceError {}

/** The session is over, or another page has taken it over. */
export class SessionOverError extends GraceError {}

/** The caller no longer wants the answer (its `AbortSignal` fired). */
export class CancelledError extends GraceError {}

/** Python could not be loaded; the message is what the participant and the log are told. */
export class LoadingFailedError extends GraceError {}

/** Python's worker could not be started, or ended while it loaded; the message says why. */
export class WorkerFailedError extends GraceError {}

/** A memory snapshot is not what it should be; Python can still be loaded without it. */
export class SnapshotError extends GraceError {}

/** Python was loaded, and its worker has ended. Another load may bring it back. */
export class PythonLostError extends GraceError {}

/** The study's Python code raised; the message is the traceback. */
export class EnvironmentError extends GraceError {}

/** The actions of a step are missing between those known and those delivered. */
export class FrameGapError extends GraceError {}
