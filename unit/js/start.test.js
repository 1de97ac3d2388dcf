import assert from "node:assert/strict";
import { it } from "node:test";
import { settled } from "./fakes/manual_time.js";

/** An element that remembers what was put into it. */
class FakeElement extends EventTarget {
  /** @type {FakeElement[]} */ children = [];
  textContent = "";

  /** @param {FakeElement[]} children */
  replaceChildren(...children) {
    this.children = children;
  }

  setAttribute() {}
}

it("offers to load the page again when one of its modules does not arrive", async () => {
  const main = new FakeElement();
  /** @type {string[]} */ const done = [];
  Object.assign(globalThis, {
    document: { createElement: () => new FakeElement(), getElementById: () => main },
    location: { reload: () => done.push("reload") },
    reportError: () => done.push("report"),
  });
  // Here the page's first module cannot be imported: its library is served, not a file beside it.
  await import(new URL("../../static/js/start.js", import.meta.url).href);
  while (done.length === 0) {
    await settled();
  }
  const [sentence, button] = main.children;
  assert.match(sentence.textContent, /did not arrive/);
  assert.equal(button.textContent, "Load again");
  button.dispatchEvent(new Event("click"));
  assert.deepEqual(done, ["report", "reload"]);
});
