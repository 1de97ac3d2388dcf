import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FrameGapError } from "../../static/js/errors.js";
import { Lockstep } from "../../static/js/lockstep.js";

/**
 * The frames that are sent now.
 * @param {Lockstep} lockstep
 * @param {number} [most]
 */
function sent(lockstep, most = Number.POSITIVE_INFINITY) {
  /** @type {number[]} */ const frames = [];
  lockstep.sendDue((frame) => frames.length < most && frames.push(frame) > 0);
  return frames;
}

describe("Lockstep", () => {
  it("begins with the steps in which nobody can have acted", () => {
    const lockstep = new Lockstep(2, 3);
    assert.equal(lockstep.frame, 0);
    assert.deepEqual(lockstep.peek(9), [
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  it("sends one action for each frame, without gap, and none ahead", () => {
    const lockstep = new Lockstep(2, 3);
    assert.deepEqual(sent(lockstep), [0]);
    assert.deepEqual(sent(lockstep), []);
    lockstep.advance(2);
    assert.deepEqual(sent(lockstep), [1, 2]);
  });

  it("sends later what could not be sent", () => {
    const lockstep = new Lockstep(2, 3);
    lockstep.advance(2);
    assert.deepEqual(sent(lockstep, 1), [0]);
    assert.deepEqual(sent(lockstep), [1, 2]);
  });

  it("applies only what was delivered", () => {
    const lockstep = new Lockstep(2, 1);
    lockstep.advance(1);
    assert.equal(lockstep.available, 0);
    lockstep.deliver(1, [[4, 5]]);
    assert.deepEqual(lockstep.peek(9), [[4, 5]]);
  });

  it("passes over what it knows already", () => {
    const lockstep = new Lockstep(1, 2);
    lockstep.advance(1);
    lockstep.deliver(0, [[0], [0], [7]]);
    lockstep.deliver(2, [[7]]);
    assert.deepEqual(lockstep.peek(9), [[0], [7]]);
  });

  it("refuses steps that leave a gap", () => {
    const lockstep = new Lockstep(1, 2);
    assert.throws(() => lockstep.deliver(3, [[1]]), FrameGapError);
    assert.equal(lockstep.available, 2);
  });

  it("takes up after a new connection where the server is", () => {
    const lockstep = new Lockstep(1, 2);
    lockstep.advance(2);
    sent(lockstep);
    // The server has had frame 0 only, and its step 2 was on the way when the connection was lost.
    lockstep.resume({
      started: true,
      paused: true,
      from_frame: 2,
      actions: [[5]],
      next_frame: 1,
    });
    assert.deepEqual(lockstep.peek(9), [[5]]);
    assert.deepEqual(sent(lockstep), [1, 2]);
  });

  it("waits for the frame that another page of the participant had come to", () => {
    const lockstep = new Lockstep(1, 2);
    const actions = [[0], [0], [1], [1]];
    lockstep.resume({ started: true, paused: true, from_frame: 0, actions, next_frame: 6 });
    lockstep.advance(4);
    assert.deepEqual(sent(lockstep), []);
    lockstep.deliver(4, [[1], [1]]);
    lockstep.advance(2);
    assert.deepEqual(sent(lockstep), [6]);
  });

  it("sends again, after a pause, what has not come back as a step", () => {
    const lockstep = new Lockstep(1, 2);
    lockstep.advance(2);
    assert.deepEqual(sent(lockstep), [0, 1, 2]);
    lockstep.deliver(2, [[9]]);
    lockstep.resendUnconfirmed();
    assert.deepEqual(sent(lockstep), [1, 2]);
  });

  it("has two players step the same, whatever the delays", () => {
    const delay = 3;
    const pages = [new Lockstep(2, delay), new Lockstep(2, delay)];
    /** @type {number[][]} */ const actions = [[], []];
    /** @type {number[][][]} */ const applied = [[], []];
    let complete = delay;
    for (let tick = 0; tick < 200; tick += 1) {
      for (const [seat, page] of pages.entries()) {
        // One of them stands still every now and then.
        if (seat === 0 || tick % 7 > 2) {
          page.sendDue((frame) => {
            assert.equal(frame, actions[seat].length);
            actions[seat].push(seat * 100 + frame);
            return true;
          });
          for (const step of page.peek(1)) {
            applied[seat].push(step);
            page.advance(1);
          }
        }
      }
      while (actions.every((sentByPage) => sentByPage.length > complete - delay)) {
        const step = actions.map((sentByPage) => sentByPage[complete - delay]);
        for (const page of pages) {
          page.deliver(complete, [step]);
        }
        complete += 1;
      }
    }
    const both = Math.min(applied[0].length, applied[1].length);
    assert.ok(both > 100);
    assert.deepEqual(applied[0].slice(0, both), applied[1].slice(0, both));
    assert.ok(Math.abs(applied[0].length - applied[1].length) <= delay + 1);
  });
});
