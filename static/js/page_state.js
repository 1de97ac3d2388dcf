/**
 * The page's state, announced on `<html data-...>`: for styles, for tests, for a look with the
 * browser's tools.
 */

/**
 * @import { LinkStatus } from "./connection.js"
 * @import { Place, RuntimeState } from "./protocol.js"
 */

/** @typedef {"none" | "matched" | "running" | "paused" | "ended"} GamePhase */

/**
 * @typedef {object} Announced
 * @property {LinkStatus} link
 * @property {RuntimeState} runtime
 * @property {Place} place
 * @property {string} scene the current scene's id
 * @property {GamePhase} game
 * @property {string} session the session's id; not its token
 */

export class PageState {
  #dataset;

  /** @param {{dataset: DOMStringMap}} root the `<html>` element */
  constructor(root) {
    this.#dataset = root.dataset;
  }

  /** @param {Partial<Announced>} changes */
  announce(changes) {
    Object.assign(this.#dataset, changes);
  }
}
