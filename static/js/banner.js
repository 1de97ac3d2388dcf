/** Tells at the top of the page when the connection is lost, and when it is back. */

import { setText } from "./dom.js";

/**
 * @import { LinkStatus } from "./connection.js"
 * @import { Time } from "./environment.js"
 */

const BACK_SHOWN_MS = 4_000;

export class Banner {
  #element;
  #time;
  /** @type {unknown} */ #timer = null;
  #wasLost = false;

  /**
   * @param {HTMLElement} element a live region
   * @param {Time} time
   */
  constructor(element, time) {
    this.#element = element;
    this.#time = time;
  }

  /** @param {LinkStatus} link */
  show(link) {
    this.#time.clearTimeout(this.#timer);
    const isBack = link === "connected" && this.#wasLost;
    this.#wasLost = link === "lost";
    if (link === "lost") {
      this.#set("lost", "The connection is lost. Trying to get it back…");
    } else if (isBack) {
      this.#set("back", "The connection is back.");
      this.#timer = this.#time.setTimeout(() => this.#set("", ""), BACK_SHOWN_MS);
    } else {
      this.#set("", "");
    }
  }

  /**
   * @param {string} kind
   * @param {string} text
   */
  #set(kind, text) {
    this.#element.dataset.kind = kind;
    setText(this.#element, text);
  }
}
