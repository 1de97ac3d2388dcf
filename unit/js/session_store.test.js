import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { SessionStore } from "../../static/js/session_store.js";

/** @import { EndScene } from "../../static/js/protocol.js" */

/** @type {EndScene} */
const END = { scene_id: "thanks", kind: "end", title: "Thank you", html: "<p>Your code: X1</p>" };

describe("SessionStore", () => {
  /** @type {Map<string, string>} */ let values;

  /** @param {string} study_id */
  function open(study_id) {
    return new SessionStore(
      {
        getItem: (key) => values.get(key) ?? null,
        setItem: (key, value) => void values.set(key, value),
        removeItem: (key) => void values.delete(key),
      },
      study_id,
    );
  }

  beforeEach(() => {
    values = new Map();
  });

  it("keeps the token and the end of the study over a reload", () => {
    const store = open("slime");
    assert.equal(store.token, null);
    assert.equal(store.end, null);
    store.keepToken("secret");
    store.keepEnd(END);
    assert.equal(open("slime").token, "secret");
    assert.deepEqual(open("slime").end, END);
  });

  it("takes no session of another study for its own", () => {
    open("slime").keepToken("secret");
    assert.equal(open("tag").token, null);
  });

  it("forgets everything when the participant starts again", () => {
    const store = open("slime");
    store.keepToken("secret");
    store.keepEnd(END);
    store.forget();
    assert.equal(values.size, 0);
  });
});
