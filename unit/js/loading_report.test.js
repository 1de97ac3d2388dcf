import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadingReport, missedHeartbeats } from "../../static/js/loading_report.js";

/** @param {[number, string, Record<string, unknown>?][]} lines */
function entries(...lines) {
  return lines.map(([at_ms, event, details]) => ({ ...details, at_ms, event }));
}

const OPENED = { ping_interval_ms: 8_000 };

describe("loadingReport", () => {
  it("tells the longest block of the load, and how many there were", () => {
    const log = entries(
      [90, "main_thread_blocked", { start_ms: 10, duration_ms: 80 }],
      [27_100, "main_thread_blocked", { start_ms: 1_000, duration_ms: 26_100 }],
      [27_300, "main_thread_blocked", { start_ms: 27_150, duration_ms: 120 }],
      [40_000, "main_thread_blocked", { start_ms: 30_000, duration_ms: 9_000 }],
    );
    const load = { path: /** @type {const} */ ("preload"), from_ms: 100, to_ms: 28_000 };
    const report = loadingReport(log, { ...load, stages_ms: { runtime: 27_000.4 } });
    assert.deepEqual(report, {
      path: "preload",
      total_ms: 27_900,
      stages_ms: { runtime: 27_000 },
      longest_block_ms: 26_100,
      block_count: 2,
      missed_heartbeats: 0,
    });
  });

  it("has no block when there was none", () => {
    const load = { path: /** @type {const} */ ("fallback"), from_ms: 0, to_ms: 500 };
    const report = loadingReport([], { ...load, stages_ms: {} });
    assert.equal(report.longest_block_ms, 0);
    assert.equal(report.block_count, 0);
  });
});

describe("missedHeartbeats", () => {
  it("counts none while heartbeats come, a round trip late", () => {
    const log = entries(
      [0, "connection_opened", OPENED],
      [8_030, "heartbeat_seen"],
      [16_090, "heartbeat_seen"],
    );
    assert.equal(missedHeartbeats(log, 0, 20_000), 0);
  });

  it("counts those due during a block, on the connection that is still open", () => {
    const log = entries([0, "connection_opened", OPENED], [8_030, "heartbeat_seen"]);
    assert.equal(missedHeartbeats(log, 9_000, 37_000), 3);
  });

  it("counts none while there is no connection", () => {
    const log = entries(
      [0, "connection_opened", OPENED],
      [28_000, "connection_lost"],
      [58_000, "connection_opened", OPENED],
    );
    assert.equal(missedHeartbeats(log, 0, 60_000), 3);
  });

  it("counts only those that were due during the load", () => {
    const log = entries([0, "connection_opened", OPENED], [40_000, "heartbeat_seen"]);
    assert.equal(missedHeartbeats(log, 20_000, 30_000), 1);
  });

  it("counts none before there was a connection", () => {
    assert.equal(missedHeartbeats(entries([0, "connecting"]), 0, 60_000), 0);
  });
});
