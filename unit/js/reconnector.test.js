import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Reconnector } from "../../static/js/reconnector.js";
import { ManualTime } from "./fakes/manual_time.js";

function setUp(random = () => 1) {
  const time = new ManualTime();
  /** @type {number[]} */ const attempts_ms = [];
  const connect = () => void attempts_ms.push(time.now() - 1_000_000);
  const reconnector = new Reconnector({ time, random, connect });
  return { time, attempts_ms, reconnector };
}

describe("Reconnector", () => {
  it("tries at once when an open connection is lost", async () => {
    const { time, attempts_ms, reconnector } = setUp();
    reconnector.opened();
    await time.advance(30_000);
    reconnector.lost();
    assert.deepEqual(attempts_ms, [30_000]);
  });

  it("tries at once however long the page was frozen", () => {
    const { time, attempts_ms, reconnector } = setUp();
    reconnector.opened();
    time.freeze(28_000);
    reconnector.lost();
    assert.deepEqual(attempts_ms, [28_000]);
  });

  it("waits after failures, each time longer, five seconds at most", async () => {
    const { time, attempts_ms, reconnector } = setUp();
    for (let failure = 0; failure < 6; failure += 1) {
      reconnector.failed();
      await time.advance(5_000);
    }
    const waits_ms = attempts_ms.map((at_ms, index) => at_ms - index * 5_000);
    assert.deepEqual(waits_ms, [500, 1_000, 2_000, 4_000, 5_000, 5_000]);
  });

  it("spreads the attempts over half of the wait", async () => {
    const { time, attempts_ms, reconnector } = setUp(() => 0);
    reconnector.failed();
    await time.advance(5_000);
    assert.deepEqual(attempts_ms, [250]);
  });

  it("begins with the short wait again after a connection that lasted", async () => {
    const { time, attempts_ms, reconnector } = setUp();
    for (let failure = 0; failure < 4; failure += 1) {
      reconnector.failed();
      await time.advance(5_000);
    }
    reconnector.opened();
    await time.advance(10_000);
    reconnector.lost();
    reconnector.failed();
    await time.advance(5_000);
    assert.deepEqual(attempts_ms.slice(-2), [30_000, 30_500]);
  });

  it("does not call a server in a loop that drops every connection", async () => {
    const { time, attempts_ms, reconnector } = setUp();
    reconnector.opened();
    await time.advance(10);
    reconnector.lost();
    assert.deepEqual(attempts_ms, []);
    await time.advance(500);
    assert.deepEqual(attempts_ms, [510]);
  });

  it("hurries only when it is waiting", async () => {
    const { time, attempts_ms, reconnector } = setUp();
    reconnector.hurry();
    assert.deepEqual(attempts_ms, []);
    reconnector.failed();
    await time.advance(100);
    reconnector.hurry();
    assert.deepEqual(attempts_ms, [100]);
    await time.advance(10_000);
    assert.deepEqual(attempts_ms, [100]);
  });

  it("never tries again once it is stopped", async () => {
    const { time, attempts_ms, reconnector } = setUp();
    reconnector.failed();
    reconnector.stop();
    reconnector.failed();
    reconnector.hurry();
    await time.advance(60_000);
    assert.deepEqual(attempts_ms, []);
    assert.equal(time.waiting, 0);
  });
});
