import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { Keyboard } from "../../static/js/keyboard.js";

const CONTROLS = [
  { label: "Left", keys: ["ArrowLeft", "KeyA"], value: 1 },
  { label: "Right", keys: ["ArrowRight"], value: 2 },
  { label: "Jump", keys: ["ArrowUp", "Space"], value: 4 },
];

describe("Keyboard", () => {
  /** @type {EventTarget} */ let source;
  /** @type {Keyboard} */ let keyboard;

  /**
   * @param {string} type
   * @param {object} [details]
   */
  function dispatch(type, details = {}) {
    const event = new Event(type, { cancelable: true });
    source.dispatchEvent(Object.assign(event, details));
    return event;
  }

  beforeEach(() => {
    source = new EventTarget();
    keyboard = new Keyboard(source, CONTROLS);
    keyboard.start();
  });

  it("combines held controls by their bits", () => {
    dispatch("keydown", { code: "ArrowLeft" });
    dispatch("keydown", { code: "Space" });
    assert.equal(keyboard.sample(), 5);
    dispatch("keyup", { code: "ArrowLeft" });
    assert.equal(keyboard.sample(), 4);
  });

  it("holds a control as long as one of its keys is held", () => {
    dispatch("keydown", { code: "ArrowLeft" });
    dispatch("keydown", { code: "KeyA" });
    dispatch("keyup", { code: "ArrowLeft" });
    keyboard.sample();
    assert.equal(keyboard.sample(), 1);
  });

  it("counts a press that is shorter than a step once", () => {
    dispatch("keydown", { code: "Space" });
    dispatch("keyup", { code: "Space" });
    assert.equal(keyboard.sample(), 4);
    assert.equal(keyboard.sample(), 0);
  });

  it("lets everything go when the window loses the focus", () => {
    dispatch("keydown", { code: "ArrowRight" });
    dispatch("blur");
    assert.equal(keyboard.sample(), 0);
  });

  it("keeps the page from scrolling, for its own keys only", () => {
    assert.equal(dispatch("keydown", { code: "ArrowUp" }).defaultPrevented, true);
    assert.equal(dispatch("keydown", { code: "PageDown" }).defaultPrevented, false);
  });

  it("leaves the browser its shortcuts", () => {
    assert.equal(dispatch("keydown", { code: "KeyA", ctrlKey: true }).defaultPrevented, false);
    assert.equal(keyboard.sample(), 0);
  });

  it("takes up a key that was held while the game paused", () => {
    dispatch("keydown", { code: "ArrowLeft" });
    keyboard.stop();
    keyboard.start();
    dispatch("keydown", { code: "ArrowLeft", repeat: true });
    assert.equal(keyboard.sample(), 1);
    assert.equal(keyboard.sample(), 1);
  });

  it("does not count the repetitions of a held key as presses", () => {
    dispatch("keydown", { code: "ArrowLeft" });
    keyboard.sample();
    dispatch("keydown", { code: "ArrowLeft", repeat: true });
    dispatch("keyup", { code: "ArrowLeft" });
    assert.equal(keyboard.sample(), 0);
  });

  it("takes buttons on the screen like keys", () => {
    keyboard.press("ArrowLeft");
    assert.equal(keyboard.sample(), 1);
    assert.equal(keyboard.sample(), 1);
    keyboard.release("ArrowLeft");
    assert.equal(keyboard.sample(), 0);
  });

  it("hears nothing once it is stopped, and holds nothing", () => {
    dispatch("keydown", { code: "ArrowLeft" });
    keyboard.stop();
    assert.equal(keyboard.sample(), 0);
    dispatch("keydown", { code: "ArrowLeft" });
    assert.equal(keyboard.sample(), 0);
  });
});
