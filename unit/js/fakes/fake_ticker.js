/** A ticker whose ticks are given by hand. */

import { settled } from "./manual_time.js";

export class FakeTicker {
  /** @type {((due: number) => Promise<void>) | null} */ #onTick = null;

  get running() {
    return this.#onTick !== null;
  }

  /**
   * @param {number} _ticks_per_s
   * @param {(due: number) => Promise<void>} onTick
   */
  start(_ticks_per_s, onTick) {
    this.#onTick = onTick;
  }

  stop() {
    this.#onTick = null;
  }

  async tick(due = 1) {
    await this.#onTick?.(due);
    await settled();
  }
}
