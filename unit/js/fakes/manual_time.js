/** Time that passes only when a test says so. */

/** @import { Time } from "../../../static/js/environment.js" */

/** @implements {Time} */
export class ManualTime {
  #now_ms = 1_000_000;
  #next = 1;
  /** @type {Map<number, {due_ms: number, fn: () => void}>} */ #timers = new Map();

  now = () => this.#now_ms;

  /**
   * @param {() => void} fn
   * @param {number} delay_ms
   */
  setTimeout = (fn, delay_ms) => {
    const timer = this.#next;
    this.#next += 1;
    this.#timers.set(timer, { due_ms: this.#now_ms + delay_ms, fn });
    return timer;
  };

  /** @param {unknown} timer */
  clearTimeout = (timer) => {
    this.#timers.delete(/** @type {number} */ (timer));
  };

  /** Timers that wait. */
  get waiting() {
    return this.#timers.size;
  }

  /**
   * Let time pass, and everything happen that is due by then, in order.
   * @param {number} ms
   */
  async advance(ms) {
    const until_ms = this.#now_ms + ms;
    await settled();
    for (let timer = this.#first(until_ms); timer !== null; timer = this.#first(until_ms)) {
      const { due_ms, fn } = /** @type {{due_ms: number, fn: () => void}} */ (
        this.#timers.get(timer)
      );
      this.#timers.delete(timer);
      this.#now_ms = Math.max(this.#now_ms, due_ms);
      fn();
      await settled();
    }
    this.#now_ms = until_ms;
  }

  /**
   * The page is frozen: time passes and nothing happens.
   * @param {number} ms
   */
  freeze(ms) {
    this.#now_ms += ms;
  }

  /** @param {number} until_ms */
  #first(until_ms) {
    /** @type {number | null} */ let first = null;
    let first_ms = until_ms;
    for (const [timer, { due_ms }] of this.#timers) {
      if (due_ms < first_ms || (due_ms === first_ms && first === null)) {
        [first, first_ms] = [timer, due_ms];
      }
    }
    return first;
  }
}

/** Everything that promises have put off has happened. */
export async function settled() {
  await new Promise((resolve) => setImmediate(resolve));
}
