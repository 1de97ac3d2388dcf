/**
 * What the tab remembers of its session: the token, and the end of the study once it was reached.
 * It is the tab's own storage, so a second tab is a second participant, and so is another label in
 * the address: on a lab's machine the next participant often comes to the same tab.
 */

/**
 * @import { KeyValueStore } from "./environment.js"
 * @import { EndScene } from "./protocol.js"
 */

export class SessionStore {
  #values;
  #prefix;

  /**
   * @param {KeyValueStore} values
   * @param {string} study_id another study's session is not this one's
   * @param {string | null} participant the label in the page's address, if there is one
   */
  constructor(values, study_id, participant) {
    this.#values = values;
    this.#prefix =
      participant === null ? `grace.${study_id}.` : `grace.${study_id}.${participant}.`;
  }

  /** @returns {string | null} what resumes the session */
  get token() {
    return this.#values.getItem(`${this.#prefix}token`);
  }

  /** @param {string} token */
  keepToken(token) {
    this.#values.setItem(`${this.#prefix}token`, token);
  }

  /**
   * The last scene, if the study has been finished in this tab. The server forgets a finished
   * session, but whoever reloads the page still needs what stands there, such as a completion code.
   * @returns {EndScene | null}
   */
  get end() {
    const kept = this.#values.getItem(`${this.#prefix}end`);
    return kept === null ? null : JSON.parse(kept);
  }

  /** @param {EndScene} scene */
  keepEnd(scene) {
    this.#values.setItem(`${this.#prefix}end`, JSON.stringify(scene));
  }

  /** Forget the session: the next CONNECT begins a new one. */
  forget() {
    this.#values.removeItem(`${this.#prefix}token`);
    this.#values.removeItem(`${this.#prefix}end`);
  }
}
