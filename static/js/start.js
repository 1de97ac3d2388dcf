/**
 * Starts the page, and says so when it cannot be started: a module that does not arrive keeps every
 * other one from running. So this one needs none of them. It runs as soon as it has arrived, before
 * the document is read to its end.
 */

import("./python_worker_start.js")
  .then(({ startEarly }) => {
    const text = document.getElementById("grace-config")?.textContent ?? "";
    const { preload, python, first_environment } = JSON.parse(text);
    if (preload && python.runtime === "worker" && first_environment !== null) {
      startEarly(python, first_environment);
    }
  })
  .catch(() => {}); // What it needs the page needs too, and says so below.

/** The page looks for its elements. */
const whole =
  document.readyState === "loading"
    ? new Promise((resolve) => {
        document.addEventListener("DOMContentLoaded", resolve, { once: true });
      })
    : Promise.resolve();

/** @param {unknown} error */
function offerToLoadAgain(error) {
  const sentence = document.createElement("p");
  sentence.role = "alert";
  sentence.textContent = "A part of this page did not arrive. Loading it again may help.";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Load again";
  button.addEventListener("click", () => location.reload());
  const main = document.getElementById("scene");
  main?.replaceChildren(sentence, button);
  main?.setAttribute("aria-busy", "false");
  reportError(error);
}

whole.then(() => import("./index.js")).catch(offerToLoadAgain);
