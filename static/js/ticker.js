/** A steady beat for the game, also in a hidden tab. */

/** @import { Time } from "./environment.js" */

/** After a pause longer than this the lost time is not made up. */
const LONGEST_CATCH_UP_MS = 500;

/**
 * @typedef {object} TickWorker the part of `Worker` that is used
 * @property {((event: any) => void) | null} onmessage
 * @property {(message: number | null) => void} postMessage
 * @property {() => void} terminate
 */

export class Ticker {
  /** @type {Time} */ #time;
  /** @type {() => TickWorker} */ #startWorker;
  /** @type {TickWorker | null} */ #worker = null;

  /**
   * @param {object} parts
   * @param {Time} parts.time
   * @param {() => TickWorker} parts.startWorker starts `ticker_worker.js`
   */
  constructor({ time, startWorker }) {
    this.#time = time;
    this.#startWorker = startWorker;
  }

  get running() {
    return this.#worker !== null;
  }

  /**
   * Begin to tick.
   * @param {number} ticks_per_s
   * @param {(due: number) => Promise<void>} onTick told how many ticks are due, 1 and more when
   *   some came late; the next comes after it is done
   */
  start(ticks_per_s, onTick) {
    this.stop();
    const period_ms = 1000 / ticks_per_s;
    let counted_ms = this.#time.now();
    const worker = this.#startWorker();
    this.#worker = worker;
    worker.onmessage = async () => {
      const now_ms = this.#time.now();
      counted_ms = Math.max(counted_ms, now_ms - LONGEST_CATCH_UP_MS);
      // Half a period early is on time: the worker's clock and this one are not the same.
      const due = Math.floor((now_ms - counted_ms) / period_ms + 0.5);
      counted_ms += due * period_ms;
      if (due > 0) {
        await onTick(due);
      }
      if (worker === this.#worker) {
        worker.postMessage(null);
      }
    };
    worker.postMessage(period_ms);
  }

  stop() {
    this.#worker?.terminate();
    this.#worker = null;
  }
}
