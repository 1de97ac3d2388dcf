/** Held controls, from keys and from buttons on the screen, as one action. */

/** @import { Action, Control } from "./protocol.js" */

/** Elements that use the keys themselves. */
const TYPING = "input, textarea, select, [contenteditable], dialog[open] *";
/** Elements that the space bar and Enter press. */
const PRESSABLE = "button, a[href], summary";
const PRESSING_KEYS = new Set(["Space", "Enter", "NumpadEnter"]);

/**
 * @typedef {object} KeySource what keys come from: the window
 * @property {(type: string, listener: (event: any) => void) => void} addEventListener
 * @property {(type: string, listener: (event: any) => void) => void} removeEventListener
 */

export class Keyboard {
  /** @type {KeySource} */ #source;
  /** @type {Map<string, number>} */ #values;
  /** @type {Set<string>} held keys and buttons */ #held = new Set();
  /** @type {number} pressed since the last sample, even if no longer held */ #pressed = 0;

  /**
   * @param {KeySource} source
   * @param {Control[]} controls
   */
  constructor(source, controls) {
    this.#source = source;
    this.#values = new Map(
      controls.flatMap(({ keys, value }) => keys.map((key) => /** @type {const} */ ([key, value]))),
    );
  }

  start() {
    this.#source.addEventListener("keydown", this.#onKeyDown);
    this.#source.addEventListener("keyup", this.#onKeyUp);
    this.#source.addEventListener("blur", this.#onBlur);
  }

  stop() {
    this.#source.removeEventListener("keydown", this.#onKeyDown);
    this.#source.removeEventListener("keyup", this.#onKeyUp);
    this.#source.removeEventListener("blur", this.#onBlur);
    this.#onBlur();
  }

  /**
   * The action of one step. A press shorter than a step counts once.
   * @returns {Action}
   */
  sample() {
    let action = this.#pressed;
    for (const code of this.#held) {
      action |= this.#values.get(code) ?? 0;
    }
    this.#pressed = 0;
    return action;
  }

  /** @param {string} code `KeyboardEvent.code` of one of the controls' keys */
  press(code) {
    this.#held.add(code);
    this.#pressed |= this.#values.get(code) ?? 0;
  }

  /** @param {string} code */
  release(code) {
    this.#held.delete(code);
  }

  /** @param {KeyboardEvent} event */
  #onKeyDown = (event) => {
    if (!this.#values.has(event.code) || event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    const target = /** @type {Element | null} */ (event.target);
    const pressing = PRESSING_KEYS.has(event.code);
    if (target?.closest?.(TYPING) || (pressing && target?.closest?.(PRESSABLE))) {
      return;
    }
    // Arrow keys and the space bar would scroll the page.
    event.preventDefault();
    // A key that was held while the game paused is heard of again as a repetition.
    if (!event.repeat || !this.#held.has(event.code)) {
      this.press(event.code);
    }
  };

  /** @param {KeyboardEvent} event */
  #onKeyUp = (event) => this.release(event.code);

  // A window without focus is not told when a key is let go.
  #onBlur = () => {
    this.#held.clear();
    this.#pressed = 0;
  };
}
