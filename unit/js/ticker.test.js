import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Ticker } from "../../static/js/ticker.js";
import { ManualTime, settled } from "./fakes/manual_time.js";

function setUp() {
  const time = new ManualTime();
  const worker = {
    /** @type {((event: any) => void) | null} */ onmessage: null,
    /** @type {(number | null)[]} */ messages: [],
    terminated: false,
    postMessage: (/** @type {number | null} */ message) => void worker.messages.push(message),
    terminate: () => {
      worker.terminated = true;
    },
    tick: async () => {
      worker.onmessage?.({});
      await settled();
    },
  };
  /** @type {number[]} */ const due = [];
  const ticker = new Ticker({ time, startWorker: () => worker });
  ticker.start(20, async (count) => void due.push(count));
  return { time, worker, ticker, due };
}

describe("Ticker", () => {
  it("tells the worker the period, and answers each tick", async () => {
    const { time, worker } = setUp();
    time.freeze(50);
    await worker.tick();
    assert.deepEqual(worker.messages, [50, null]);
  });

  it("counts one tick a period, early or late by less than half of one", async () => {
    const { time, worker, due } = setUp();
    for (const ms of [46, 52, 55, 47]) {
      time.freeze(ms);
      await worker.tick();
    }
    assert.deepEqual(due, [1, 1, 1, 1]);
  });

  it("counts the ticks that a busy page has missed", async () => {
    const { time, worker, due } = setUp();
    time.freeze(200);
    await worker.tick();
    assert.deepEqual(due, [4]);
  });

  it("does not make up for a long pause", async () => {
    const { time, worker, due } = setUp();
    time.freeze(28_000);
    await worker.tick();
    assert.deepEqual(due, [10]);
  });

  it("ticks no more once it is stopped", async () => {
    const { time, worker, ticker } = setUp();
    ticker.stop();
    assert.equal(worker.terminated, true);
    time.freeze(50);
    await worker.tick();
    assert.deepEqual(worker.messages, [50]);
  });
});
