import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  duration,
  keyName,
  LEFT,
  overSentence,
  partnerSentence,
  playerName,
  waitingSentence,
} from "../../static/js/sentences.js";

/** @import { PartnerStatus } from "../../static/js/protocol.js" */

/**
 * @param {PartnerStatus["link"]} link
 * @param {PartnerStatus["runtime"]} runtime
 */
function partner(link, runtime) {
  const { text, timed, wanting } = partnerSentence("Your partner", { link, runtime });
  return { text: timed ? `${text} ${timed("43 s")}` : text, wanting };
}

describe("partnerSentence", () => {
  it("says that a partner's browser is loading, whether it answers or not", () => {
    for (const link of /** @type {const} */ (["connected", "busy", "away"])) {
      const { text, wanting } = partner(link, "loading");
      assert.match(text, /^Your partner's browser is loading Python.*43 s/);
      assert.equal(wanting, true);
    }
  });

  it("never says that a partner who is away has left", () => {
    for (const runtime of /** @type {const} */ (["cold", "loading", "ready", "failed"])) {
      assert.doesNotMatch(partner("away", runtime).text, /left the|no longer/);
    }
  });

  it("says how long somebody who lost the connection is waited for", () => {
    const { text } = partner("away", "ready");
    assert.equal(
      text,
      "Your partner lost the connection. Waiting up to 43 s for them to come back.",
    );
  });

  it("says something well-formed of every state that a partner can be in", () => {
    for (const link of /** @type {const} */ (["connected", "busy", "away", "gone"])) {
      for (const runtime of /** @type {const} */ (["cold", "loading", "ready", "failed"])) {
        const { text } = partner(link, runtime);
        assert.match(text, /^Your partner('s browser)? [a-z].*[.…]$/, `${link}, ${runtime}`);
        assert.doesNotMatch(text.slice(1), /Your/, `${link}, ${runtime}`);
      }
    }
  });

  it("wants nothing of a partner who is here and ready", () => {
    assert.deepEqual(partner("connected", "ready"), {
      text: "Your partner is here.",
      wanting: false,
    });
  });
});

describe("sentences", () => {
  it("counts seconds up to two minutes, then minutes, and never below none", () => {
    assert.deepEqual([-3, 0.2, 43, 119.5, 120, 594].map(duration), [
      "0 s",
      "1 s",
      "43 s",
      "2 min 0 s",
      "2 min 0 s",
      "9 min 54 s",
    ]);
  });

  it("calls the other of two players the partner, and numbers them where there are more", () => {
    const two = { players: ["player_0", "player_1"], you: "player_1" };
    const three = { players: [...two.players, "player_2"], you: "player_1" };
    assert.equal(playerName("player_0", two), "Your partner");
    assert.equal(playerName("player_1", two), "You");
    assert.equal(playerName("player_2", three), "Player 3");
  });

  it("says how many are missing in the waiting room", () => {
    const room = { needed: 4, seconds_left: null };
    assert.match(waitingSentence({ ...room, waiting: 1 }), /3 more/);
    assert.match(waitingSentence({ ...room, waiting: 3 }), /one more/);
    assert.match(waitingSentence({ ...room, waiting: 4 }), /Everybody/);
  });

  it("offers a new session only to whom it is of use", () => {
    assert.equal(overSentence("session_expired").mayStartAgain, true);
    assert.equal(overSentence("session_taken_over").mayStartAgain, false);
    assert.equal(overSentence(LEFT).mayStartAgain, false);
  });

  it("names keys as they are printed", () => {
    assert.deepEqual(["ArrowLeft", "KeyA", "Digit1", "Space"].map(keyName), [
      "←",
      "A",
      "1",
      "Space",
    ]);
  });
});
