/**
 * One game that this page plays with others: it steps the environment in lockstep with them.
 *
 * The page comes and goes, the game stays: after a new connection or a reload the server gives the
 * steps that are missing, and the page applies them before it says `player_ready` again.
 */

import { Episode } from "./episode.js";
import {
  ConnectionLostError,
  FrameGapError,
  LoadingFailedError,
  PythonLostError,
  RefusedError,
  SessionOverError,
} from "./errors.js";
import { CLIENT_EVENTS } from "./protocol.js";

/**
 * @import { Connection } from "./connection.js"
 * @import { EventLog } from "./event_log.js"
 * @import { Keyboard } from "./keyboard.js"
 * @import { Loading } from "./loading.js"
 * @import { GamePhase } from "./page_state.js"
 * @import { FrameActions, GameProgress, GameScene, MatchedGame } from "./protocol.js"
 * @import { Python, Shape } from "./python.js"
 * @import { Ticker } from "./ticker.js"
 */

/** Steps that are made up at most after the game had to wait for an action. */
const MOST_OWED_STEPS = 6;
/** Times that Python may be lost in one game; an environment that is at fault would go on so. */
const MOST_LOSSES = 5;
/** Characters of a traceback that the server takes. */
const LONGEST_TRACEBACK = 16_000;
/** Errors that others deal with: the loading display, the next connection, the event that ends the
 * game or the session. */
const DEALT_WITH = [LoadingFailedError, ConnectionLostError, RefusedError, SessionOverError];

/**
 * @typedef {object} GameView what a game shows
 * @property {() => boolean} isSeen whether a picture would be seen now
 * @property {(shapes: Shape[]) => void} draw
 * @property {(frame: number) => void} showFrame
 * @property {(phase: GamePhase) => void} showPhase
 *
 * @typedef {object} GameParts
 * @property {GameScene} scene
 * @property {MatchedGame} game
 * @property {Pick<Loading, "load">} loading
 * @property {Python} python
 * @property {Pick<Connection, "request" | "send" | "restart">} connection
 * @property {Pick<Ticker, "start" | "stop">} ticker
 * @property {Pick<Keyboard, "start" | "stop" | "sample">} input
 * @property {GameView} view
 * @property {EventLog} log
 * @property {() => Promise<void>} nextTask lets pending events run
 */

export class RemoteGame {
  /** @type {GameParts} */ #parts;
  /** @type {Episode} */ #episode;
  /** What has to happen one after the other. @type {Promise<unknown>} */ #queue;
  /** Counts connections: what was begun on an earlier one is given up. */
  #connection = 0;
  /** Whether Python is loaded, and was not lost since. */
  #loaded = false;
  /** Whether the server has let anybody step. */
  #started = false;
  #running = false;
  /** Times that Python was lost, and how far the episode was at the last of them. */
  #losses = 0;
  #lostAt = -1;
  /** Whether the server has been told the result, or is being told. */
  #told = false;
  /** Whether the game is over, here or for everybody. */
  #ended = false;
  /** Steps that were due and could not be made yet. */
  #owed = 0;

  /** @param {GameParts} parts */
  constructor(parts) {
    this.#parts = parts;
    const { game, python, nextTask } = parts;
    this.#episode = new Episode({ python, environment: this.#environment(), game, nextTask });
    this.#queue = Promise.resolve();
  }

  get game_id() {
    return this.#parts.game.game_id;
  }

  /** Steps applied; CONNECT restates it as `last_frame`. */
  get frame() {
    return this.#episode.frame;
  }

  /**
   * Make ready to play. Python that was preloaded, or is being, is used; otherwise it is loaded
   * here, and that is announced as the fallback. Where that failed, a new call is a new attempt.
   * @param {GameProgress} [progress] of a game that is joined again
   */
  async initialize(progress) {
    await this.#attempt(async () => {
      this.#takeUp(progress);
      this.#showHeld();
      await this.#parts.loading.load("fallback", this.#environment());
      this.#loaded = true;
      await this.#makeReady();
    });
  }

  /**
   * The page is connected again.
   * @param {GameProgress} progress
   */
  async resume(progress) {
    this.#connection += 1;
    await this.#attempt(async () => {
      this.#takeUp(progress);
      if (this.#loaded) {
        await this.#makeReady();
      } // Otherwise `initialize` is still at it, or waits to be called again.
    });
  }

  /** The connection was lost: nothing can be sent, and no step will come. */
  connectionLost() {
    this.#connection += 1;
    this.hold();
  }

  /** The server has told everybody to step from now on. */
  run() {
    const { ticker, input, view, scene } = this.#parts;
    this.#started = true;
    this.#running = true;
    this.#owed = 0;
    this.#episode.resendUnconfirmed();
    input.start();
    view.showPhase("running");
    ticker.start(scene.steps_per_s, (due) =>
      this.#attempt(() => this.#inTurn(() => this.#tick(due))),
    );
  }

  /** The server has told everybody to wait. */
  hold() {
    this.#running = false;
    this.#parts.input.stop();
    this.#parts.ticker.stop();
    this.#showHeld();
  }

  /**
   * Take in steps whose actions are complete.
   * @param {FrameActions} delivery
   */
  async deliver({ from_frame, actions }) {
    await this.#attempt(async () => this.#episode.deliver(from_frame, actions));
  }

  /** The game has ended. */
  end() {
    this.#stop();
    this.#parts.view.showPhase("ended");
  }

  #environment() {
    const { environment_url, config } = this.#parts.scene;
    return { url: environment_url, config };
  }

  #showHeld() {
    this.#parts.view.showPhase(this.#started ? "paused" : "matched");
  }

  /** @param {GameProgress} [progress] */
  #takeUp(progress) {
    if (progress) {
      this.#started = progress.started;
      this.#episode.resume(progress);
    }
  }

  async #makeReady() {
    const begun = this.#connection;
    const isWanted = () => begun === this.#connection && !this.#ended;
    await this.#inTurn(async () => {
      await this.#episode.begin();
      // Before the start only the steps without actions are there, and they belong to the game.
      await this.#episode.catchUp(() => this.#started && isWanted());
    });
    if (isWanted()) {
      await this.#show();
      const payload = { game_id: this.game_id };
      const ready = this.#parts.connection.request(CLIENT_EVENTS.PLAYER_READY, payload, {
        resend: false,
      });
      if (this.#episode.over) {
        this.#finish();
      }
      await ready;
    }
  }

  /** @param {number} due ticks that have come since the last call */
  async #tick(due) {
    const { scene, connection } = this.#parts;
    this.#owed = Math.min(this.#owed + due, MOST_OWED_STEPS);
    while (this.#owed > 0 && this.#running) {
      this.#sendActions();
      if (!(await this.#episode.step())) {
        break;
      }
      this.#owed -= 1;
      if (this.#episode.over) {
        this.#parts.ticker.stop();
        this.#finish();
      } else if (this.frame % scene.steps_per_s === 0) {
        connection.send(CLIENT_EVENTS.GAME_STATE_HASH, await this.#digest());
      }
    }
    this.#sendActions();
    await this.#show();
  }

  #sendActions() {
    const { connection, input } = this.#parts;
    if (this.#running && !this.#episode.over) {
      this.#episode.sendDue((frame) => {
        const payload = { game_id: this.game_id, frame, action: input.sample() };
        return connection.send(CLIENT_EVENTS.PLAYER_ACTION, payload);
      });
    }
  }

  /** Tell the server the result. Not awaited: it is said again until the server has heard it. */
  #finish() {
    if (this.#told) {
      return;
    }
    this.#told = true;
    this.#attempt(async () => {
      const final = await this.#digest();
      await this.#parts.connection.request(CLIENT_EVENTS.GAME_STATE_HASH, final);
    });
  }

  async #digest() {
    const digest = { game_id: this.game_id, ...(await this.#episode.digest()) };
    this.#parts.log.record("game_state_hashed", digest);
    return digest;
  }

  async #show() {
    const { python, view } = this.#parts;
    if (view.isSeen() || !this.#running || this.#episode.over) {
      view.draw(await python.render());
    }
    view.showFrame(this.frame);
  }

  /**
   * Do something after everything that was begun before.
   * @param {() => Promise<void>} action
   */
  #inTurn(action) {
    const done = this.#queue.then(() => (this.#ended ? undefined : action()));
    this.#queue = done.catch(() => {});
    return done;
  }

  /**
   * Do something, and deal with what goes wrong.
   * @param {() => Promise<unknown>} action
   */
  async #attempt(action) {
    try {
      await action();
    } catch (error) {
      if (error instanceof FrameGapError) {
        this.#parts.connection.restart(error.message);
      } else if (error instanceof PythonLostError && !this.#ended) {
        await this.#recover(error.message);
      } else if (!this.#ended && !DEALT_WITH.some((type) => error instanceof type)) {
        await this.#fail(error);
      }
    }
  }

  /**
   * Python was lost, and the episode with it: begin it again, in a Python that is loaded anew, with
   * the steps that the server gives to a page that has none.
   * @param {string} why
   */
  async #recover(why) {
    const { connection, log } = this.#parts;
    if (this.#loaded) {
      this.#loaded = false;
      log.record("python_lost", { game_id: this.game_id, frame: this.frame, message: why });
      this.#losses += 1;
      if (this.frame <= this.#lostAt || this.#losses > MOST_LOSSES) {
        const times = `${this.#losses} times, the last time at frame ${this.frame}`;
        await this.#fail(new PythonLostError(`Python was lost ${times}: ${why}`));
        return;
      }
      this.#lostAt = this.frame;
      this.#told = false;
      this.#episode.restart();
      connection.restart(why);
      await this.initialize();
    } // Otherwise that is under way: several calls were not answered.
  }

  /**
   * The environment cannot go on: tell the server, which ends the game for everybody.
   * @param {unknown} error
   */
  async #fail(error) {
    const { connection, log } = this.#parts;
    this.#stop();
    const text = error instanceof Error ? error.message || error.name : String(error);
    // The cut may leave half of a character, which is no Unicode and would be refused.
    const traceback = text.slice(-LONGEST_TRACEBACK).replace(/^[\uDC00-\uDFFF]/, "");
    const payload = { game_id: this.game_id, frame: this.frame, traceback };
    log.record("environment_failed", payload);
    await this.#attempt(() => connection.request(CLIENT_EVENTS.ENVIRONMENT_FAILED, payload));
  }

  #stop() {
    this.#ended = true;
    this.#running = false;
    this.#connection += 1;
    this.#parts.input.stop();
    this.#parts.ticker.stop();
  }
}
