/**
 * Loads Python and says so: announced before the page may freeze, and after it.
 *
 * One load at a time, whatever reconnects meanwhile; who asks for another is given the one under
 * way. A retry is a new attempt with a new id. The load is over when the server has acknowledged
 * its completion: until then every CONNECT restates it, so a lost message changes nothing.
 */

import { SHORTEST_BLOCK_MS } from "./block_watch.js";
import { delay } from "./environment.js";
import { LoadingFailedError, RefusedError } from "./errors.js";
import { loadingReport } from "./loading_report.js";
import { CLIENT_EVENTS } from "./protocol.js";

/**
 * @import { BlockWatch } from "./block_watch.js"
 * @import { Connection } from "./connection.js"
 * @import { Time } from "./environment.js"
 * @import { EventLog } from "./event_log.js"
 * @import { FrameWatch } from "./frame_watch.js"
 * @import { LoadingPath, LoadingStage, RestatedRuntime, RuntimeState } from "./protocol.js"
 * @import { EnvironmentSource, LoadFacts, LoadProgress, Python } from "./python.js"
 */

/** How long to wait for the acknowledgement of the start. Without it the page goes on: the next
 * CONNECT restates the load. */
const START_ACKNOWLEDGE_MS = 1_000;
/** How long to wait for a connection that is lost, so that the start can be announced at all. */
const RECONNECT_MS = 10_000;
/** Characters of an error that are sent; the server takes 4000. */
const LONGEST_ERROR = 2_000;
/** Characters of the reason why a load went another way than it should; the server takes 500. */
const LONGEST_REASON = 500;

/**
 * @typedef {object} LoadingState
 * @property {RuntimeState} state
 * @property {string} [attempt_id]
 * @property {LoadingStage} [stage] reached while loading or failed
 * @property {number} [since_ms] when the attempt began, milliseconds since the epoch
 * @property {string} [error] why it failed
 * @property {"main" | "worker"} [where] the thread that it loads in, while it does
 * @property {LoadProgress} [progress] what has arrived of it, while it loads
 *
 * @typedef {LoadingStage} Stage
 */

export class Loading {
  /** @type {Python} */ #python;
  /** @type {Pick<Connection, "request">} */ #connection;
  /** @type {EventLog} */ #log;
  /** @type {Pick<BlockWatch, "settle">} */ #blocks;
  /** @type {Pick<FrameWatch, "start" | "stop">} */ #frames;
  /** @type {Time} */ #time;
  /** @type {() => string} */ #newId;
  /** @type {() => Promise<void>} */ #nextPaint;
  /** @type {(state: LoadingState) => void} */ #onChange;
  /** @type {() => void} */ #onEnded;
  /** @type {LoadingState} */ #state = { state: "cold" };
  /** @type {Promise<void> | null} */ #underWay = null;
  #isBusy = false;

  /**
   * @param {object} parts
   * @param {Python} parts.python
   * @param {Pick<Connection, "request">} parts.connection
   * @param {EventLog} parts.log
   * @param {Pick<BlockWatch, "settle">} parts.blocks
   * @param {Pick<FrameWatch, "start" | "stop">} parts.frames
   * @param {Time} parts.time
   * @param {() => string} parts.newId
   * @param {() => Promise<void>} parts.nextPaint
   * @param {(state: LoadingState) => void} parts.onChange
   * @param {() => void} parts.onEnded told when an attempt can block the page no more
   */
  constructor({
    python,
    connection,
    log,
    blocks,
    frames,
    time,
    newId,
    nextPaint,
    onChange,
    onEnded,
  }) {
    this.#python = python;
    this.#connection = connection;
    this.#log = log;
    this.#blocks = blocks;
    this.#frames = frames;
    this.#time = time;
    this.#newId = newId;
    this.#nextPaint = nextPaint;
    this.#onChange = onChange;
    this.#onEnded = onEnded;
  }

  get state() {
    return this.#state.state;
  }

  /**
   * Whether an attempt is under way that may block the page. The state is `loading` for longer,
   * until the server has acknowledged the end: a server that is lost never does.
   */
  get mayBlock() {
    return this.#isBusy && this.#python.where === "main";
  }

  /**
   * The runtime as CONNECT restates it.
   * @returns {RestatedRuntime}
   */
  restated() {
    const { state, attempt_id, stage } = this.#state;
    return state === "loading" ? { state, attempt_id, stage } : { state };
  }

  /**
   * Load Python with an environment; at once kept if it is loaded already, and was not lost since.
   * @param {LoadingPath} path
   * @param {EnvironmentSource} environment
   * @returns {Promise<void>} kept when the completion is acknowledged
   * @throws {LoadingFailedError} it failed; a new call is a new attempt
   * @throws {SessionOverError} the session ended first
   */
  async load(path, environment) {
    if (this.state !== "ready" || !this.#python.loaded) {
      this.#underWay ??= this.#attempt(path, environment).finally(() => {
        this.#underWay = null;
      });
      await this.#underWay;
    }
  }

  /**
   * @param {LoadingPath} path
   * @param {EnvironmentSource} environment
   */
  async #attempt(path, environment) {
    const attempt_id = this.#newId();
    const from_ms = this.#time.now();
    const where = this.#python.where;
    this.#change({ state: "loading", attempt_id, stage: "runtime", since_ms: from_ms, where });
    this.#isBusy = true;
    this.#frames.start();
    this.#log.record("loading_started", { attempt_id, path });
    await this.#announceStart(attempt_id, path);

    const stages = new StageTimes(this.#time, "runtime");
    /** @type {{error?: string}} */ const outcome = {};
    /** @type {Partial<LoadFacts>} */ let facts = {};
    try {
      await this.#nextPaint();
      facts = await this.#python.load(environment, {
        onStage: (stage) => this.#enter(attempt_id, stage, stages),
        onProgress: (progress) => this.#change({ ...this.#state, progress }),
      });
    } catch (failure) {
      outcome.error = messageOf(failure);
    } finally {
      this.#isBusy = false;
      this.#onEnded();
    }
    const longest_frame_gap_ms = this.#frames.stop();
    const stages_ms = stages.end();
    const to_ms = this.#time.now();
    // A page whose frames came on time was not blocked: there is nothing to wait for.
    if (longest_frame_gap_ms === null || longest_frame_gap_ms >= SHORTEST_BLOCK_MS) {
      await this.#blocks.settle();
    }

    const report = {
      ...loadingReport(this.#log.entries, { path, from_ms, to_ms, stages_ms }),
      longest_frame_gap_ms,
      ...shortened({ runtime: this.#python.where, ...facts }),
    };
    const ended = outcome.error === undefined ? "loading_completed" : "loading_failed";
    this.#log.record(ended, { attempt_id, ...outcome, ...report });
    await this.#announceEnd({ attempt_id, ...outcome, report });
    if (outcome.error !== undefined) {
      this.#change({ ...this.#state, ...outcome, state: "failed" });
      throw new LoadingFailedError(outcome.error);
    }
    this.#change({ state: "ready" });
  }

  /**
   * @param {string} attempt_id
   * @param {LoadingPath} path
   */
  async #announceStart(attempt_id, path) {
    const giveUp = new AbortController();
    const payload = { attempt_id, path, runtime: this.#python.where };
    let onSent = () => {};
    const sent = new Promise((/** @type {(value: void) => void} */ resolve) => {
      onSent = resolve;
    });
    const acknowledged = this.#connection
      .request(CLIENT_EVENTS.LOADING_START, payload, { signal: giveUp.signal, onSent })
      .then(
        () => this.#log.record("loading_start_acknowledged", { attempt_id }),
        () => {}, // Refused or given up: the page goes on, and CONNECT restates the load.
      );
    await Promise.race([acknowledged, sent, delay(this.#time, RECONNECT_MS)]);
    await Promise.race([acknowledged, delay(this.#time, START_ACKNOWLEDGE_MS)]);
    giveUp.abort();
  }

  /**
   * @param {string} attempt_id
   * @param {Stage} stage
   * @param {StageTimes} times
   */
  async #enter(attempt_id, stage, times) {
    times.enter(stage);
    this.#log.record("loading_stage_reached", { attempt_id, stage });
    this.#change({ ...this.#state, stage, where: this.#python.where });
    this.#connection
      .request(CLIENT_EVENTS.LOADING_PROGRESS, { attempt_id, stage }, { resend: false })
      .catch(() => {}); // CONNECT restates the stage.
    await this.#nextPaint();
  }

  /** @param {{attempt_id: string, error?: string, report: object}} payload */
  async #announceEnd(payload) {
    try {
      await this.#connection.request(CLIENT_EVENTS.LOADING_COMPLETE, payload);
    } catch (error) {
      // A server that refuses the completion has heard it; the page knows better what it has.
      if (!(error instanceof RefusedError)) {
        throw error;
      }
    }
  }

  /** @param {LoadingState} state */
  #change(state) {
    this.#state = state;
    this.#onChange(state);
  }
}

/** How long each stage took. */
class StageTimes {
  /** @type {Time} */ #time;
  /** @type {Stage} */ #stage;
  #entered_ms;
  /** @type {Partial<Record<Stage, number>>} */ #spent_ms = {};

  /**
   * @param {Time} time
   * @param {Stage} stage the first
   */
  constructor(time, stage) {
    this.#time = time;
    this.#stage = stage;
    this.#entered_ms = time.now();
  }

  /** @param {Stage} stage */
  enter(stage) {
    this.end();
    this.#stage = stage;
    this.#entered_ms = this.#time.now();
  }

  /** @returns {Partial<Record<Stage, number>>} milliseconds */
  end() {
    const spent_ms = this.#time.now() - this.#entered_ms;
    this.#spent_ms[this.#stage] = (this.#spent_ms[this.#stage] ?? 0) + spent_ms;
    return this.#spent_ms;
  }
}

/**
 * @param {Partial<LoadFacts>} facts
 * @returns {Partial<LoadFacts>} with errors not longer than the server takes
 */
function shortened(facts) {
  // The cut may leave half of a character, which is no Unicode and would be refused.
  const cut = (/** @type {string} */ text) =>
    text.slice(0, LONGEST_REASON).replace(/[\uD800-\uDBFF]$/, "");
  const entries = Object.entries(facts).map(([name, value]) => [name, cut(value)]);
  return Object.fromEntries(entries);
}

/**
 * @param {unknown} failure
 * @returns {string} its message, not longer than what is sent
 */
function messageOf(failure) {
  const message = failure instanceof Error ? failure.message || failure.name : String(failure);
  // The last lines of a Python traceback say what went wrong.
  return message.length <= LONGEST_ERROR ? message : `…${message.slice(1 - LONGEST_ERROR)}`;
}
