/** Shows the game itself: the canvas, why it is paused, the controls. */

import { GameCanvas } from "./canvas.js";
import { h } from "./dom.js";
import { keyName } from "./sentences.js";
import { touchControls } from "./touch_controls.js";

/**
 * @import { Time } from "./environment.js"
 * @import { Keyboard } from "./keyboard.js"
 * @import { GamePhase } from "./page_state.js"
 * @import { Control, GameScene } from "./protocol.js"
 * @import { Shape } from "./python.js"
 */

/** The frame is announced for tests and for the curious, not more often than this. */
const FRAME_ANNOUNCED_MS = 250;

export class StageView {
  #time;
  #canvas;
  #overlay = h("div", { class: "overlay", hidden: true }, h("strong", {}, "Paused"));
  #controls = h("div");
  #frame = 0;
  /** @type {unknown} */ #timer = null;
  element;

  /**
   * @param {GameScene} scene
   * @param {Time} time
   * @param {Pick<Keyboard, "press" | "release">} keyboard
   */
  constructor(scene, time, keyboard) {
    this.#time = time;
    const canvas = h("canvas", {
      "data-testid": "canvas",
      role: "img",
      "aria-label": `${scene.title}: the game`,
      tabindex: 0,
    });
    this.#canvas = new GameCanvas(canvas, scene);
    const stage = h("div", { class: "stage" }, canvas, this.#overlay);
    // The style sheet keeps the whole of it on the screen.
    stage.style.setProperty("--ratio", String(scene.width / scene.height));
    this.element = h("section", { "aria-label": "Game", hidden: true }, stage, this.#controls);
    this.#controls.append(touchControls(scene.controls, keyboard), legend(scene.controls));
  }

  /** @param {GamePhase} phase */
  show(phase) {
    this.element.hidden = phase === "none" || phase === "matched";
    this.#overlay.hidden = phase !== "paused";
    this.#controls.hidden = phase === "ended";
  }

  /** @param {Shape[]} shapes */
  draw(shapes) {
    this.#canvas.draw(shapes);
  }

  /** @param {number} frame */
  showFrame(frame) {
    this.#frame = frame;
    this.#timer ??= this.#time.setTimeout(() => {
      this.#timer = null;
      this.#canvas.element.dataset.frame = String(this.#frame);
    }, FRAME_ANNOUNCED_MS);
  }

  /** Bring the game into view and the keys to it. */
  focus() {
    this.#canvas.element.focus({ preventScroll: true });
    this.element.scrollIntoView({ block: "nearest" });
  }
}

/** @param {Control[]} controls */
function legend(controls) {
  return h(
    "ul",
    { class: "legend", "aria-label": "Keys" },
    ...controls.map(({ label, keys }) =>
      h("li", {}, ...keys.map((code) => h("kbd", {}, keyName(code))), ` ${label}`),
    ),
  );
}
