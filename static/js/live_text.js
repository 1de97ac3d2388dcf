/** Texts that change as time passes: seconds left, seconds spent. */

import { setText } from "./dom.js";

/** @import { Time } from "./environment.js" */

const PERIOD_MS = 250;

export class LiveTexts {
  /** @type {Time} */ #time;
  /** @type {Map<Element, (now_ms: number) => string>} */ #texts = new Map();
  /** @type {unknown} */ #timer = null;

  /** @param {Time} time */
  constructor(time) {
    this.#time = time;
  }

  /**
   * Keep an element's text up to date.
   * @param {Element} element
   * @param {((now_ms: number) => string) | null} write null: it stays empty from now on
   */
  show(element, write) {
    if (write) {
      this.#texts.set(element, write);
      setText(element, write(this.#time.now()));
    } else {
      this.#texts.delete(element);
      setText(element, "");
    }
    if (this.#timer === null && this.#texts.size > 0) {
      this.#wait();
    }
  }

  /** Let go of every element. */
  stop() {
    this.#texts.clear();
  }

  #wait() {
    this.#timer = this.#time.setTimeout(() => {
      this.#timer = null;
      for (const [element, write] of this.#texts) {
        setText(element, write(this.#time.now()));
      }
      if (this.#texts.size > 0) {
        this.#wait();
      }
    }, PERIOD_MS);
  }
}
