import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EventLog } from "../../static/js/event_log.js";
import { ManualTime } from "./fakes/manual_time.js";

describe("EventLog", () => {
  it("keeps what happened with the time at which it did", () => {
    const time = new ManualTime();
    const log = new EventLog(time);
    log.record("connecting");
    time.freeze(250);
    log.record("connection_lost", { reason: "transport close" });
    assert.deepEqual(log.entries, [
      { at_ms: 1_000_000, event: "connecting" },
      { at_ms: 1_000_250, event: "connection_lost", reason: "transport close" },
    ]);
  });

  it("lets the oldest go when it is full, and counts them", () => {
    const log = new EventLog(new ManualTime(), 3);
    for (let number = 0; number < 5; number += 1) {
      log.record("happened", { number });
    }
    assert.deepEqual(
      log.entries.map(({ number }) => number),
      [2, 3, 4],
    );
    assert.equal(log.dropped, 2);
  });
});
