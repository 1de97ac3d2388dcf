/**
 * When to take the server for lost: it has sent no heartbeat for too long. Pure: time, and what
 * tells whether the page loads, are passed in.
 *
 * It mirrors the server's rule. socket.io-client would close the connection of a page that a load
 * has frozen, so the handshake tells it a time longer than any load; the time that comes with
 * `session_opened` holds here, except during a load.
 */

import { LATE_MESSAGES_MS } from "./session_socket.js";

/** @import { Time } from "./environment.js" */

export class ServerWatch {
  /** @type {Time} */ #time;
  /** @type {() => boolean} */ #isLoading;
  /** @type {() => void} */ #onSilence;
  /** @type {number | null} null while nothing is watched */ #timeout_ms = null;
  #heard_ms = 0;
  /** @type {unknown} */ #timer = null;

  /**
   * @param {object} parts
   * @param {Time} parts.time
   * @param {() => boolean} parts.isLoading whether the page loads Python, which may freeze it
   * @param {() => void} parts.onSilence told once that the server is to be taken for lost
   */
  constructor({ time, isLoading, onSilence }) {
    this.#time = time;
    this.#isLoading = isLoading;
    this.#onSilence = onSilence;
  }

  /**
   * A connection was opened: watch it.
   * @param {number} [timeout_s] how long it may be silent; without it nothing is watched
   */
  start(timeout_s) {
    this.#timeout_ms = timeout_s === undefined ? null : timeout_s * 1_000;
    this.heard();
  }

  /** A heartbeat came. */
  heard() {
    this.#heard_ms = this.#time.now();
    this.#count();
  }

  /**
   * A load ended, well or not. A heartbeat that was sent meanwhile lies there to be read, so this
   * counts from the last one that was read: a server that was lost during the load has gone on
   * with its own time.
   */
  loadEnded() {
    this.#count();
  }

  /** Watch nothing until the next start. */
  stop() {
    this.#timeout_ms = null;
    this.#count();
  }

  #count() {
    this.#time.clearTimeout(this.#timer);
    if (this.#timeout_ms !== null) {
      const left_ms = this.#heard_ms + this.#timeout_ms - this.#time.now();
      this.#after(Math.max(0, left_ms), () => {
        this.#after(LATE_MESSAGES_MS, () => {
          this.stop();
          this.#onSilence();
        });
      });
    }
  }

  /**
   * @param {number} delay_ms
   * @param {() => void} next not called during a load, whose end starts the time again
   */
  #after(delay_ms, next) {
    this.#timer = this.#time.setTimeout(() => {
      if (!this.#isLoading()) {
        next();
      }
    }, delay_ms);
  }
}
