/** Buttons to hold on the screen, for who has no keyboard at hand. */

import { h } from "./dom.js";

/**
 * @import { Keyboard } from "./keyboard.js"
 * @import { Control } from "./protocol.js"
 */

/**
 * @param {Control[]} controls
 * @param {Pick<Keyboard, "press" | "release">} keyboard
 * @returns {HTMLElement} shown by the style sheet where the pointer is coarse
 */
export function touchControls(controls, keyboard) {
  return h(
    "div",
    { class: "touch-controls", role: "toolbar", "aria-label": "Controls" },
    ...controls.map(({ label, keys: [code] }) => holdButton(label, code, keyboard)),
  );
}

/**
 * @param {string} label
 * @param {string} code the key that it stands for
 * @param {Pick<Keyboard, "press" | "release">} keyboard
 */
function holdButton(label, code, keyboard) {
  const button = h("button", { type: "button", class: "secondary" }, label);
  const release = () => keyboard.release(code);
  button.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    // A finger that slides off the button still holds it.
    button.setPointerCapture(event.pointerId);
    keyboard.press(code);
  });
  button.addEventListener("pointerup", release);
  button.addEventListener("pointercancel", release);
  button.addEventListener("lostpointercapture", release);
  // A long press would open a menu.
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  button.addEventListener("click", (event) => {
    // Pressed without a pointer, by a keyboard or an assistive technology: a short press.
    if (event.detail === 0) {
      keyboard.press(code);
      release();
    }
  });
  return button;
}
