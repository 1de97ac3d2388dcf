import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { SessionStore } from "../../static/js/session_store.js";

/** @import { EndScene } from "../../static/js/protocol.js" */

/** @type {EndScene} */
const END = { scene_id: "thanks", kind: "end", title: "Thank you", html: "<p>Your code: X1</p>" };

describe("SessionStore", () => {
  /** @type {Map<string, string>} */ let values;

  /**
   * @param {string} study_id
   * @param {string | null} [participant]
   */
  function open(study_id, participant = null) {
    return new SessionStore(
      {
        getItem: (key) => values.get(key) ?? null,
        setItem: (key, value) => void values.set(key, value),
        removeItem: (key) => void values.delete(key),
      },
      study_id,
      participant,
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

  it("takes no session of another participant in the same tab for its own", () => {
    const first = open("slime", "p1");
    first.keepToken("secret");
    first.keepEnd(END);
    for (const participant of ["p2", null]) {
      const store = open("slime", participant);
      assert.deepEqual([store.token, store.end], [null, null]);
    }
    assert.equal(open("slime", "p1").token, "secret");
  });

  it("forgets everything when the participant starts again", () => {
    const store = open("slime");
    store.keepToken("secret");
    store.keepEnd(END);
    store.forget();
    assert.equal(values.size, 0);
  });
});
