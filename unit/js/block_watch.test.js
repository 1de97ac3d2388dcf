import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BlockWatch } from "../../static/js/block_watch.js";
import { EventLog } from "../../static/js/event_log.js";
import { ManualTime } from "./fakes/manual_time.js";

/** @import { Observers } from "../../static/js/block_watch.js" */

/** A browser with long tasks, told when a test says so. */
class FakeObserver {
  static supportedEntryTypes = ["longtask"];
  /** @type {FakeObserver} */ static current;
  /** @type {object[]} */ records = [];

  /** @param {(list: {getEntries: () => object[]}) => void} tell */
  constructor(tell) {
    this.tell = tell;
    FakeObserver.current = this;
  }

  observe() {}

  takeRecords() {
    return this.records.splice(0);
  }
}

/** @param {Partial<Observers>} observers */
function setUp(observers) {
  const time = new ManualTime();
  const log = new EventLog(time);
  const watch = new BlockWatch({
    time,
    log,
    observers: { timeOrigin: 1_000_000, isHidden: () => false, ...observers },
  });
  watch.start();
  return { time, log, watch };
}

const LONG_TASKS = { PerformanceObserver: /** @type {any} */ (FakeObserver) };

describe("BlockWatch", () => {
  it("records long tasks as they are told", () => {
    const { log } = setUp(LONG_TASKS);
    FakeObserver.current.tell({ getEntries: () => [{ startTime: 500, duration: 26_000.2 }] });
    const [{ event, start_ms, duration_ms }] = log.entries;
    assert.deepEqual([event, start_ms, duration_ms], ["main_thread_blocked", 1_000_500, 26_000]);
  });

  it("waits for the block that has just ended", async () => {
    const { time, log, watch } = setUp(LONG_TASKS);
    time.freeze(26_000);
    let done = false;
    watch.settle().then(() => {
      done = true;
    });
    await time.advance(40);
    assert.equal(done, false);
    FakeObserver.current.records.push({ startTime: 10, duration: 25_995 });
    await time.advance(20);
    assert.equal(done, true);
    assert.equal(log.entries.length, 1);
  });

  it("does not wait long when there was no block", async () => {
    const { time, watch } = setUp(LONG_TASKS);
    let done = false;
    watch.settle().then(() => {
      done = true;
    });
    await time.advance(200);
    assert.equal(done, true);
  });

  it("sees blocks by a late timer where there are no long tasks", async () => {
    const { time, log } = setUp({});
    await time.advance(300);
    time.freeze(5_000);
    await time.advance(0);
    const [{ event, duration_ms }] = log.entries;
    assert.equal(event, "main_thread_blocked");
    assert.ok(Number(duration_ms) >= 4_900 && Number(duration_ms) <= 5_000);
    assert.equal(log.entries.length, 1);
  });

  it("does not take a hidden page's slow timers for blocks", async () => {
    const { time, log } = setUp({ isHidden: () => true });
    time.freeze(5_000);
    await time.advance(1_000);
    assert.deepEqual(log.entries, []);
  });
});
