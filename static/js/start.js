/**
 * Starts the page, and says so when it cannot be started: a module that does not arrive keeps every
 * other one from running. So this one needs none of them.
 */

import("./index.js").catch((error) => {
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
});
