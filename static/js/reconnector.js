/**
 * When to connect again. Pure: time, chance and the act of connecting are passed in.
 *
 * After a loss it tries at once (a page that was frozen is back the moment its thread is free; the
 * stock delay of socket.io-client costs 0.5 to 1.5 s more). Only failures make it wait, each time
 * longer, with jitter so that the pages of one server do not come back together.
 */

/** @import { Random, Time } from "./environment.js" */

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 5_000;
/** A connection that lasted less counts as a failure, so that a server that drops everybody is
 * not called in a loop. */
const STABLE_AFTER_MS = 1_000;

export class Reconnector {
  /** @type {Time} */ #time;
  /** @type {Random} */ #random;
  /** @type {() => void} */ #connect;
  #failures = 0;
  /** @type {number | null} */ #opened_ms = null;
  /** @type {unknown} */ #timer = null;
  #stopped = false;

  /**
   * @param {object} parts
   * @param {Time} parts.time
   * @param {Random} parts.random
   * @param {() => void} parts.connect makes one attempt; its outcome is told by the methods below
   */
  constructor({ time, random, connect }) {
    this.#time = time;
    this.#random = random;
    this.#connect = connect;
  }

  /** An attempt succeeded. */
  opened() {
    this.#opened_ms = this.#time.now();
  }

  /** The open connection was lost: try at once, unless it had barely been open. */
  lost() {
    const lasted_ms = this.#time.now() - (this.#opened_ms ?? this.#time.now());
    this.#opened_ms = null;
    if (lasted_ms >= STABLE_AFTER_MS) {
      this.#failures = 0;
      this.#attempt();
    } else {
      this.failed();
    }
  }

  /** An attempt failed: wait, longer each time. */
  failed() {
    if (this.#stopped) {
      return;
    }
    const longest_ms = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#clear();
    this.#timer = this.#time.setTimeout(
      () => this.#attempt(),
      longest_ms * (0.5 + this.#random() / 2),
    );
  }

  /** Something suggests that it would work now (the network is back, the page is looked at). */
  hurry() {
    if (this.#timer !== null) {
      this.#attempt();
    }
  }

  /** Never try again. */
  stop() {
    this.#stopped = true;
    this.#clear();
  }

  #attempt() {
    this.#clear();
    if (!this.#stopped) {
      this.#connect();
    }
  }

  #clear() {
    if (this.#timer !== null) {
      this.#time.clearTimeout(this.#timer);
      this.#timer = null;
    }
  }
}
