/** Making elements. Text is always set as text, so nothing that was received can become markup. */

/**
 * @typedef {Record<string, string | number | boolean | EventListener | null | undefined>} Attributes
 *   attributes by name; `onclick` and the like are listeners; null, undefined and false leave one
 *   out
 */

/**
 * Make an element.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Attributes} [attributes]
 * @param {...(Node | string | null | undefined)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name.slice(2), value);
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/**
 * A block of the study's text.
 * @param {string} html rendered and escaped by the server
 */
export function studyText(html) {
  const block = h("div", { class: "study-text" });
  block.innerHTML = html;
  return block;
}

/**
 * Set a text only if it is another, so that screen readers are not told again.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/**
 * A button that is busy until what it does is done.
 * @param {string} label
 * @param {Attributes} attributes
 * @param {() => unknown} onPress may return a promise
 */
export function actionButton(label, attributes, onPress) {
  const button = h("button", { type: "button", ...attributes }, label);
  button.addEventListener("click", async () => {
    if (button.ariaBusy === "true") {
      return;
    }
    button.ariaBusy = "true";
    try {
      await onPress();
    } finally {
      button.ariaBusy = "false";
    }
  });
  return button;
}
