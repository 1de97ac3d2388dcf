import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { Episode } from "../../static/js/episode.js";
import { FrameGapError } from "../../static/js/errors.js";
import { FakePython } from "./fakes/fake_python.js";
import { settled } from "./fakes/manual_time.js";

const GAME = {
  game_id: "g_1",
  players: ["player_0", "player_1"],
  you: "player_0",
  seed: 7,
  input_delay_frames: 3,
};
const ENVIRONMENT = { url: "/study/match/environment.py", config: {} };
const LENGTH = 150;

describe("Episode", () => {
  /** @type {FakePython} */ let python;
  /** @type {Episode} */ let episode;

  beforeEach(() => {
    python = new FakePython(LENGTH);
    const parts = { python, environment: ENVIRONMENT, game: GAME };
    episode = new Episode({ ...parts, nextTask: settled });
  });

  /** @param {number} count */
  function steps(count) {
    return Array.from({ length: count }, (_, step) => [step % 8, 1]);
  }

  it("begins once with the game's seed", async () => {
    await episode.begin();
    await episode.begin();
    assert.deepEqual(python.seeds, [7]);
  });

  it("makes one step at a time, and none that is not complete", async () => {
    await episode.begin();
    const made = [];
    for (let count = 0; count < 4; count += 1) {
      made.push(await episode.step());
    }
    assert.deepEqual(made, [true, true, true, false]);
    assert.equal(episode.frame, 3);
  });

  it("catches up in pieces, so that the page can answer in between", async () => {
    await episode.begin();
    episode.deliver(3, steps(140));
    let asked = 0;
    await episode.catchUp(() => {
      asked += 1;
      return true;
    });
    assert.equal(episode.frame, 143);
    assert.ok(asked > 1);
  });

  it("stops catching up when that is no longer wanted", async () => {
    await episode.begin();
    episode.deliver(3, steps(140));
    let left = 1;
    await episode.catchUp(() => {
      left -= 1;
      return left >= 0;
    });
    assert.ok(episode.frame > 0 && episode.frame < 143);
  });

  it("ends with the environment, though more steps were delivered", async () => {
    await episode.begin();
    episode.deliver(3, steps(LENGTH));
    await episode.catchUp(() => true);
    assert.equal(episode.over, true);
    assert.equal(episode.frame, LENGTH);
    assert.equal(await episode.step(), false);
  });

  it("has a result only when it is over", async () => {
    await episode.begin();
    await episode.step();
    assert.equal("result" in (await episode.digest()), false);
    episode.deliver(3, steps(LENGTH));
    await episode.catchUp(() => true);
    assert.deepEqual((await episode.digest()).result, { frames: LENGTH });
  });

  it("begins again when what a connection brings does not fit", async () => {
    await episode.begin();
    await episode.step();
    const progress = { started: true, paused: true, next_frame: 9 };
    const beyond = { ...progress, from_frame: 9, actions: steps(2) };
    assert.throws(() => episode.resume(beyond), FrameGapError);
    assert.equal(episode.frame, 0);
    episode.resume({ ...progress, from_frame: 0, actions: steps(11) });
    await episode.begin();
    assert.deepEqual(python.seeds, [7, 7]);
  });
});
