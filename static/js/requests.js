/**
 * What was said and not yet acknowledged. Pure: time and the act of sending are passed in.
 *
 * A request is said at least once: it waits for an open session, and is sent again after a while
 * and on every new connection until the server acknowledges it. The server may hear it twice.
 */

import { CancelledError, ConnectionLostError, RefusedError, SessionOverError } from "./errors.js";
import { ERROR_CODES } from "./protocol.js";

/**
 * @import { Time } from "./environment.js"
 * @import { Accepted, Acknowledgement, WireError } from "./protocol.js"
 */

/** After this long without an acknowledgement a request is sent again. */
export const ACKNOWLEDGE_TIMEOUT_MS = 5_000;
/** Refusals that are over after a while, so that the request is sent again. */
const PASSING = new Set(
  /** @type {string[]} */ ([ERROR_CODES.RATE_LIMITED, ERROR_CODES.TRY_AGAIN]),
);

/**
 * @typedef {object} RequestOptions
 * @property {boolean} [resend] send again on the next connection (default true); otherwise the
 *   request fails with `ConnectionLostError` when the connection is lost
 * @property {AbortSignal} [signal] gives the request up
 * @property {() => void} [onSent] told each time it is handed to an open connection
 *
 * @typedef {object} PendingRequest
 * @property {string} event
 * @property {object} payload
 * @property {boolean} resend
 * @property {(() => void) | undefined} onSent
 * @property {unknown} timer
 * @property {(answer: Accepted) => void} resolve
 * @property {(error: Error) => void} reject
 *
 * @typedef {(
 *   event: string,
 *   payload: object,
 *   acknowledge: (answer: Acknowledgement) => void,
 * ) => void} Emit
 */

export class Requests {
  /** @type {Time} */ #time;
  /** @type {Emit} */ #emit;
  /** @type {(event: string, error: WireError) => void} */ #onRefused;
  /** @type {Set<PendingRequest>} */ #pending = new Set();
  #open = false;
  #ended = false;

  /**
   * @param {object} parts
   * @param {Time} parts.time
   * @param {Emit} parts.emit sends on the open connection
   * @param {(event: string, error: WireError) => void} parts.onRefused
   */
  constructor({ time, emit, onRefused }) {
    this.#time = time;
    this.#emit = emit;
    this.#onRefused = onRefused;
  }

  /**
   * @param {string} event
   * @param {object} payload
   * @param {RequestOptions} options
   * @returns {Promise<Accepted>} the acknowledgement
   * @throws {RefusedError} the server refused it
   * @throws {ConnectionLostError} the connection was lost, only with `resend: false`
   * @throws {SessionOverError} the session ended first
   * @throws {CancelledError} `signal` fired first
   */
  add(event, payload, { resend = true, signal, onSent }) {
    return new Promise((resolve, reject) => {
      if (this.#ended) {
        reject(new SessionOverError(`${event}: the session is over`));
        return;
      }
      /** @type {PendingRequest} */
      const request = { event, payload, resend, onSent, timer: null, resolve, reject };
      this.#pending.add(request);
      signal?.addEventListener("abort", () => {
        this.#fail(request, new CancelledError(`${event}: given up`));
      });
      if (this.#open) {
        this.#transmit(request);
      }
    });
  }

  /** The session is open: send what is pending, oldest first. */
  opened() {
    this.#open = true;
    for (const request of this.#pending) {
      this.#transmit(request);
    }
  }

  /** The connection was lost: keep what is to be sent again. */
  lost() {
    this.#open = false;
    for (const request of this.#pending) {
      this.#time.clearTimeout(request.timer);
      if (!request.resend) {
        this.#fail(request, new ConnectionLostError(`${request.event}: the connection was lost`));
      }
    }
  }

  /** Nothing more can be said. */
  end() {
    this.#ended = true;
    for (const request of this.#pending) {
      this.#fail(request, new SessionOverError(`${request.event}: the session is over`));
    }
  }

  /** @param {PendingRequest} request */
  #transmit(request) {
    this.#time.clearTimeout(request.timer);
    request.timer = this.#time.setTimeout(() => this.#transmit(request), ACKNOWLEDGE_TIMEOUT_MS);
    this.#emit(request.event, request.payload, (answer) => this.#acknowledged(request, answer));
    request.onSent?.();
  }

  /**
   * @param {PendingRequest} request
   * @param {Acknowledgement} answer
   */
  #acknowledged(request, answer) {
    if (!this.#pending.has(request)) {
      return;
    }
    if (answer?.ok) {
      this.#remove(request);
      request.resolve(answer);
      return;
    }
    const error = answer?.error ?? { code: ERROR_CODES.INTERNAL_ERROR, message: "no answer" };
    if (!PASSING.has(error.code)) {
      this.#fail(request, new RefusedError(error));
    } // Otherwise its timer sends it again.
    this.#onRefused(request.event, error);
  }

  /**
   * @param {PendingRequest} request
   * @param {Error} error
   */
  #fail(request, error) {
    if (this.#remove(request)) {
      request.reject(error);
    }
  }

  /** @param {PendingRequest} request */
  #remove(request) {
    this.#time.clearTimeout(request.timer);
    return this.#pending.delete(request);
  }
}
