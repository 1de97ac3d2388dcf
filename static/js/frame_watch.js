/**
 * Measures the longest gap between two animation frames: what a person sees of a page that is held
 * up, by anything. A hidden page has no frames.
 */

/**
 * @typedef {object} Frames
 * @property {(callback: (at_ms: number) => void) => number} requestAnimationFrame
 * @property {(handle: number) => void} cancelAnimationFrame
 * @property {() => boolean} isHidden
 */

export class FrameWatch {
  /** @type {Frames} */ #frames;
  /** @type {number | null} */ #handle = null;
  /** @type {number | null} */ #longest_ms = null;

  /** @param {Frames} frames the browser's */
  constructor(frames) {
    this.#frames = frames;
  }

  /** Measure from now on. */
  start() {
    this.stop();
    this.#longest_ms = null;
    /** @type {number | null} */ let last_ms = null;
    const look = (/** @type {number} */ at_ms) => {
      // A gap in which it was hidden is none that anybody saw.
      if (last_ms !== null && !this.#frames.isHidden()) {
        this.#longest_ms = Math.max(this.#longest_ms ?? 0, at_ms - last_ms);
      }
      last_ms = this.#frames.isHidden() ? null : at_ms;
      this.#handle = this.#frames.requestAnimationFrame(look);
    };
    this.#handle = this.#frames.requestAnimationFrame(look);
  }

  /**
   * Measure no more.
   * @returns {number | null} whole milliseconds; null when there were not two frames
   */
  stop() {
    if (this.#handle !== null) {
      this.#frames.cancelAnimationFrame(this.#handle);
      this.#handle = null;
    }
    return this.#longest_ms === null ? null : Math.round(this.#longest_ms);
  }
}
