/**
 * Sees when the page's main thread was blocked: by long tasks (W3C Long Tasks API, tasks of 50 ms
 * and more), or, where the browser has none (Firefox, Safari), by a timer that comes too late.
 */

import { delay } from "./environment.js";

/**
 * @import { Time } from "./environment.js"
 * @import { EventLog } from "./event_log.js"
 */

/** Period of the timer that stands in for long tasks. */
const PROBE_MS = 100;
/** A timer this late is a block; the Long Tasks API has the same threshold. */
export const SHORTEST_BLOCK_MS = 50;
/** A long task is told only after it is over: wait for that at most so long. */
const SETTLE_MS = 200;
const SETTLE_STEP_MS = 20;

/**
 * @typedef {object} Observers the observing parts of the browser
 * @property {typeof PerformanceObserver} [PerformanceObserver]
 * @property {number} timeOrigin milliseconds since the epoch
 * @property {() => boolean} isHidden whether the page's timers are slowed down
 */

export class BlockWatch {
  /** @type {Time} */ #time;
  /** @type {EventLog} */ #log;
  /** @type {Observers} */ #observers;
  /** @type {PerformanceObserver | null} */ #observer = null;
  #lastEnd_ms = 0;

  /**
   * @param {object} parts
   * @param {Time} parts.time
   * @param {EventLog} parts.log gets `main_thread_blocked`
   * @param {Observers} parts.observers
   */
  constructor({ time, log, observers }) {
    this.#time = time;
    this.#log = log;
    this.#observers = observers;
  }

  /** Watch for as long as the page lives. */
  start() {
    const { PerformanceObserver } = this.#observers;
    if (PerformanceObserver?.supportedEntryTypes?.includes("longtask")) {
      this.#observer = new PerformanceObserver((list) => this.#take(list.getEntries()));
      this.#observer.observe({ type: "longtask", buffered: true });
    } else {
      this.#probe();
    }
  }

  /**
   * Wait, not long, until a block that has just ended is in the log.
   * @returns {Promise<void>}
   */
  async settle() {
    const asked_ms = this.#time.now();
    // The block that is waited for, if there is one, is the task that asks.
    while (this.#lastEnd_ms < asked_ms && this.#time.now() < asked_ms + SETTLE_MS) {
      await delay(this.#time, SETTLE_STEP_MS);
      this.#take(this.#observer?.takeRecords() ?? []);
    }
  }

  /** @param {PerformanceEntry[]} entries */
  #take(entries) {
    for (const { startTime, duration } of entries) {
      this.#blocked(this.#observers.timeOrigin + startTime, duration);
    }
  }

  /**
   * @param {number} start_ms
   * @param {number} duration_ms
   */
  #blocked(start_ms, duration_ms) {
    this.#lastEnd_ms = Math.max(this.#lastEnd_ms, start_ms + duration_ms);
    this.#log.record("main_thread_blocked", { start_ms, duration_ms: Math.round(duration_ms) });
  }

  #probe() {
    const asked_ms = this.#time.now();
    const wasHidden = this.#observers.isHidden();
    this.#time.setTimeout(() => {
      const late_ms = this.#time.now() - asked_ms - PROBE_MS;
      if (late_ms >= SHORTEST_BLOCK_MS && !wasHidden && !this.#observers.isHidden()) {
        this.#blocked(asked_ms + PROBE_MS, late_ms);
      }
      this.#probe();
    }, PROBE_MS);
  }
}
