import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FrameWatch } from "../../static/js/frame_watch.js";

function setUp() {
  /** @type {((at_ms: number) => void) | null} */ let next = null;
  const page = { isHidden: false };
  const watch = new FrameWatch({
    requestAnimationFrame: (callback) => {
      next = callback;
      return 1;
    },
    cancelAnimationFrame: () => {
      next = null;
    },
    isHidden: () => page.isHidden,
  });
  return { page, watch, frame: (/** @type {number} */ at_ms) => next?.(at_ms) };
}

describe("FrameWatch", () => {
  it("tells the longest gap between two frames", () => {
    const { watch, frame } = setUp();
    watch.start();
    for (const at_ms of [5, 21, 121.4, 138]) {
      frame(at_ms);
    }
    assert.equal(watch.stop(), 100);
  });

  it("has nothing to tell when there were not two frames, and begins anew each time", () => {
    const { watch, frame } = setUp();
    watch.start();
    frame(0);
    frame(500);
    watch.start();
    frame(600);
    assert.equal(watch.stop(), null);
    assert.equal(watch.stop(), null);
  });

  it("leaves out gaps in which the page was hidden", () => {
    const { page, watch, frame } = setUp();
    watch.start();
    frame(0);
    frame(16);
    page.isHidden = true;
    frame(2000);
    page.isHidden = false;
    frame(9000);
    frame(9020);
    assert.equal(watch.stop(), 20);
  });
});
