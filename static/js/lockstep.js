/**
 * The bookkeeping of one game in lockstep: which steps may be applied, which frames are to be sent.
 * Pure: it neither steps Python nor talks to the server.
 *
 * Frame f is the number of steps applied so far. The action sent at frame f counts in step
 * f + input_delay_frames, and a step can be applied once every player's action of it was delivered.
 */

import { FrameGapError } from "./errors.js";

/** @import { GameProgress, StepActions } from "./protocol.js" */

export class Lockstep {
  #players;
  #delay;
  #frame = 0;
  #nextToSend = 0;
  /** @type {StepActions[]} actions of step #frame, #frame + 1, ... */ #delivered = [];

  /**
   * @param {number} players
   * @param {number} input_delay_frames
   */
  constructor(players, input_delay_frames) {
    this.#players = players;
    this.#delay = input_delay_frames;
    this.restart();
  }

  /** Steps applied so far. */
  get frame() {
    return this.#frame;
  }

  /** Steps that could be applied now. */
  get available() {
    return this.#delivered.length;
  }

  /** Begin again at the first frame. Nobody can have acted in the first steps. */
  restart() {
    this.#frame = 0;
    this.#nextToSend = 0;
    this.#delivered = Array.from({ length: this.#delay }, () => Array(this.#players).fill(0));
  }

  /**
   * Take in actions; what is known already is passed over.
   * @param {number} from_frame the step of the first of them
   * @param {StepActions[]} actions
   * @throws {FrameGapError} they begin after the first step that is missing
   */
  deliver(from_frame, actions) {
    const expected = this.#frame + this.#delivered.length;
    if (from_frame > expected) {
      throw new FrameGapError(`step ${from_frame} was delivered, step ${expected} is missing`);
    }
    for (const step of actions.slice(expected - from_frame)) {
      this.#delivered.push(step);
    }
  }

  /**
   * Take up what the server knows after a new connection.
   * @param {GameProgress} progress
   * @throws {FrameGapError} it begins after the first step that is missing
   */
  resume({ from_frame, actions, next_frame }) {
    this.deliver(from_frame, actions);
    this.#nextToSend = next_frame;
  }

  /**
   * Send again whatever has not come back as a step: what was sent as the game paused may not have
   * counted, and the server passes over what it has.
   */
  resendUnconfirmed() {
    const delivered = this.#frame + this.#delivered.length;
    this.#nextToSend = Math.max(0, Math.min(this.#nextToSend, delivered - this.#delay));
  }

  /**
   * The next steps, not applied yet.
   * @param {number} most
   * @returns {StepActions[]} their actions
   */
  peek(most) {
    return this.#delivered.slice(0, most);
  }

  /**
   * Note that steps were applied.
   * @param {number} steps
   */
  advance(steps) {
    this.#delivered.splice(0, steps);
    this.#frame += steps;
  }

  /**
   * Send what is due: one action for each frame up to the present one, without gap.
   * @param {(frame: number) => boolean} send returns whether it was sent; it stops when not
   */
  sendDue(send) {
    while (this.#nextToSend <= this.#frame && send(this.#nextToSend)) {
      this.#nextToSend += 1;
    }
  }
}
