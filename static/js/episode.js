/**
 * One episode of the environment in this page: which steps it has made, and the state it is in.
 * What is to be sent is left to the game that it belongs to.
 */

import { Lockstep } from "./lockstep.js";

/**
 * @import { GameProgress, GameResult, MatchedGame, StepActions } from "./protocol.js"
 * @import { EnvironmentSource, Python } from "./python.js"
 */

/** Steps replayed in one go; the page can answer in between. */
const REPLAY_CHUNK = 60;

export class Episode {
  #python;
  #environment;
  #seed;
  #nextTask;
  #lockstep;
  /** Whether the environment is in this episode. */
  #begun = false;
  #over = false;

  /**
   * @param {object} parts
   * @param {Python} parts.python
   * @param {EnvironmentSource} parts.environment
   * @param {MatchedGame} parts.game
   * @param {() => Promise<void>} parts.nextTask lets pending events run
   */
  constructor({ python, environment, game, nextTask }) {
    this.#python = python;
    this.#environment = environment;
    this.#seed = game.seed;
    this.#nextTask = nextTask;
    this.#lockstep = new Lockstep(game.players.length, game.input_delay_frames);
  }

  /** Steps applied so far. */
  get frame() {
    return this.#lockstep.frame;
  }

  /** Whether the environment has come to its end. */
  get over() {
    return this.#over;
  }

  /**
   * Take in steps whose actions are complete.
   * @param {number} from_frame the step of the first of them
   * @param {StepActions[]} actions
   * @throws {FrameGapError} steps before them are missing
   */
  deliver(from_frame, actions) {
    this.#lockstep.deliver(from_frame, actions);
  }

  /**
   * Take up what the server knows after a new connection.
   * @param {GameProgress} progress
   * @throws {FrameGapError} steps before it are missing; the episode begins again, and what a next
   *   connection brings will fit
   */
  resume(progress) {
    try {
      this.#lockstep.resume(progress);
    } catch (error) {
      this.restart();
      throw error;
    }
  }

  /** Forget everything: what a next connection brings begins at the first frame. */
  restart() {
    this.#lockstep.restart();
    this.#begun = false;
    this.#over = false;
  }

  /** See `Lockstep.resendUnconfirmed`. */
  resendUnconfirmed() {
    this.#lockstep.resendUnconfirmed();
  }

  /**
   * See `Lockstep.sendDue`.
   * @param {(frame: number) => boolean} send
   */
  sendDue(send) {
    this.#lockstep.sendDue(send);
  }

  /** Begin, unless that is done. */
  async begin() {
    if (!this.#begun) {
      await this.#python.reset(this.#environment, this.#seed);
      this.#begun = true;
      this.#over = false;
    }
  }

  /**
   * Apply everything that was delivered.
   * @param {() => boolean} isWanted asked every now and then
   */
  async catchUp(isWanted) {
    while (!this.#over && this.#lockstep.available > 0 && isWanted()) {
      const { applied, over } = await this.#python.replay(this.#lockstep.peek(REPLAY_CHUNK));
      this.#lockstep.advance(applied);
      this.#over = over;
      await this.#nextTask();
    }
  }

  /**
   * Apply one step.
   * @returns {Promise<boolean>} false: its actions are not complete yet, or the episode is over
   */
  async step() {
    const [actions] = this.#lockstep.peek(1);
    if (!actions || this.#over) {
      return false;
    }
    this.#over = await this.#python.step(actions);
    this.#lockstep.advance(1);
    return true;
  }

  /**
   * What the state comes to at the present frame, and at the end of the episode its result.
   * @returns {Promise<{frame: number, hash: string, result?: GameResult}>}
   */
  async digest() {
    const digest = { frame: this.frame, hash: await this.#python.stateHash() };
    return this.#over ? { ...digest, result: await this.#python.result() } : digest;
  }
}
