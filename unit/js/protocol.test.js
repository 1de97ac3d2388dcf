import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  CLIENT_EVENTS,
  END_REASONS,
  ERROR_CODES,
  LOADING_STAGES,
  SERVER_EVENTS,
} from "../../static/js/protocol.js";
import { endSentence, STAGE_NAMES } from "../../static/js/sentences.js";

describe("protocol", () => {
  for (const [what, names] of Object.entries({
    CLIENT_EVENTS,
    SERVER_EVENTS,
    ERROR_CODES,
    END_REASONS,
  })) {
    it(`names each of ${what} once, and nobody can change them`, () => {
      const values = Object.values(names);
      assert.equal(new Set(values).size, values.length);
      assert.ok(values.every((name) => /^[a-z_]+$/.test(name)));
      assert.ok(Object.isFrozen(names));
    });
  }

  it("has a sentence for every way in which a game ends", () => {
    const sentences = Object.values(END_REASONS).map(endSentence);
    assert.equal(new Set(sentences).size, sentences.length);
    assert.ok(!sentences.includes(endSentence("unheard of")));
  });

  it("has a name to show for every stage of a load", () => {
    assert.deepEqual(Object.keys(STAGE_NAMES), LOADING_STAGES);
  });
});
