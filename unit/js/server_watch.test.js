import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServerWatch } from "../../static/js/server_watch.js";
import { ManualTime } from "./fakes/manual_time.js";

const TIMEOUT_S = 38;
const TIMEOUT_MS = TIMEOUT_S * 1_000;
/** How much longer the messages that wait are given. */
const LATE_MS = 1_000;

function setUp() {
  const time = new ManualTime();
  const page = { loads: false };
  let silences = 0;
  const watch = new ServerWatch({
    time,
    isLoading: () => page.loads,
    onSilence: () => {
      silences += 1;
    },
  });
  const endLoad = () => {
    page.loads = false;
    watch.loadEnded();
  };
  return { time, page, watch, endLoad, silences: () => silences };
}

describe("ServerWatch", () => {
  it("takes the server for lost, once, when no heartbeat comes for the whole time", async () => {
    const { time, watch, silences } = setUp();
    watch.start(TIMEOUT_S);
    await time.advance(TIMEOUT_MS + LATE_MS - 1);
    assert.equal(silences(), 0);
    await time.advance(1);
    assert.equal(silences(), 1);
    await time.advance(10 * TIMEOUT_MS);
    assert.equal(silences(), 1);
    assert.equal(time.waiting, 0);
  });

  it("starts the time again at every heartbeat", async () => {
    const { time, watch, silences } = setUp();
    watch.start(TIMEOUT_S);
    for (let beat = 0; beat < 10; beat += 1) {
      await time.advance(TIMEOUT_MS - 1);
      watch.heard();
    }
    await time.advance(TIMEOUT_MS + LATE_MS - 1);
    assert.equal(silences(), 0);
    await time.advance(1);
    assert.equal(silences(), 1);
  });

  it("lets a thawed page read the heartbeat that has been waiting", async () => {
    const { time, watch, silences } = setUp();
    watch.start(TIMEOUT_S);
    time.freeze(10 * TIMEOUT_MS);
    await time.advance(0); // The timer runs before the message is read.
    watch.heard();
    await time.advance(TIMEOUT_MS + LATE_MS - 1);
    assert.equal(silences(), 0);
  });

  it("gives a thawed page one second to read, and no more", async () => {
    const { time, watch, silences } = setUp();
    watch.start(TIMEOUT_S);
    time.freeze(10 * TIMEOUT_MS);
    await time.advance(LATE_MS - 1);
    assert.equal(silences(), 0);
    await time.advance(1);
    assert.equal(silences(), 1);
  });

  it("does not take the server for lost while the page loads", async () => {
    const { time, page, watch, silences } = setUp();
    watch.start(TIMEOUT_S);
    page.loads = true;
    await time.advance(10 * TIMEOUT_MS);
    assert.equal(silences(), 0);
  });

  it("does not take the server for lost when a load begins in the last second", async () => {
    const { time, page, watch, silences } = setUp();
    watch.start(TIMEOUT_S);
    await time.advance(TIMEOUT_MS + LATE_MS - 1);
    page.loads = true;
    await time.advance(10 * TIMEOUT_MS);
    assert.equal(silences(), 0);
  });

  it("gives what is waiting one second when a heartbeat became overdue in a load", async () => {
    const { time, page, watch, endLoad, silences } = setUp();
    watch.start(TIMEOUT_S);
    page.loads = true;
    await time.advance(2 * TIMEOUT_MS);
    endLoad();
    await time.advance(LATE_MS - 1);
    assert.equal(silences(), 0);
    await time.advance(1);
    assert.equal(silences(), 1);
  });

  it("goes on counting after a load in which no heartbeat became overdue", async () => {
    const { time, page, watch, endLoad, silences } = setUp();
    watch.start(TIMEOUT_S);
    page.loads = true;
    await time.advance(TIMEOUT_MS - 5);
    endLoad();
    await time.advance(5 + LATE_MS - 1);
    assert.equal(silences(), 0);
    await time.advance(1);
    assert.equal(silences(), 1);
  });

  it("lets a page that a load froze read the heartbeat that has been waiting", async () => {
    const { time, page, watch, endLoad, silences } = setUp();
    watch.start(TIMEOUT_S);
    page.loads = true;
    time.freeze(2 * TIMEOUT_MS);
    endLoad();
    await time.advance(0); // The timer runs before the message is read.
    watch.heard();
    await time.advance(TIMEOUT_MS + LATE_MS - 1);
    assert.equal(silences(), 0);
    await time.advance(1);
    assert.equal(silences(), 1);
  });

  it("counts from the opening of a connection in the middle of a load", async () => {
    const { time, page, watch, endLoad, silences } = setUp();
    page.loads = true;
    await time.advance(2 * TIMEOUT_MS);
    watch.start(TIMEOUT_S);
    await time.advance(5);
    endLoad();
    await time.advance(TIMEOUT_MS - 5 + LATE_MS - 1);
    assert.equal(silences(), 0);
    await time.advance(1);
    assert.equal(silences(), 1);
  });

  it("watches nothing without a time", async () => {
    const { time, watch, endLoad, silences } = setUp();
    watch.start();
    watch.heard();
    endLoad();
    assert.equal(time.waiting, 0);
    await time.advance(10 * TIMEOUT_MS);
    assert.equal(silences(), 0);
  });

  it("watches nothing once it is stopped, whatever comes late", async () => {
    const { time, watch, endLoad, silences } = setUp();
    watch.start(TIMEOUT_S);
    watch.stop();
    watch.heard();
    endLoad();
    assert.equal(time.waiting, 0);
    await time.advance(10 * TIMEOUT_MS);
    assert.equal(silences(), 0);
  });

  it("can be stopped in the last second", async () => {
    const { time, watch, silences } = setUp();
    watch.start(TIMEOUT_S);
    await time.advance(TIMEOUT_MS + LATE_MS - 1);
    watch.stop();
    await time.advance(10 * TIMEOUT_MS);
    assert.equal(silences(), 0);
  });

  it("starts anew with the time that it is given then", async () => {
    const { time, watch, silences } = setUp();
    watch.start(TIMEOUT_S);
    await time.advance(TIMEOUT_MS - 1);
    watch.start(5);
    await time.advance(5_000 + LATE_MS - 1);
    assert.equal(silences(), 0);
    await time.advance(1);
    assert.equal(silences(), 1);
  });
});
