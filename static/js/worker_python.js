/**
 * Python in a worker, as the page uses it. The page's thread is free, whatever Python does.
 *
 * A worker can end without a word (the browser does so when memory runs out). It holds a lock for as
 * long as it lives, so whoever is given that lock knows (W3C Web Locks; a page on a plain http
 * address has none, and notices when a call is not answered).
 */

import { EnvironmentError, GraceError, PythonLostError, WorkerFailedError } from "./errors.js";

/**
 * @import { Time } from "./environment.js"
 * @import { GameResult, StepActions } from "./protocol.js"
 * @import { EnvironmentSource, LoadFacts, LoadWatcher, Python } from "./python.js"
 * @import { Replayed, Shape } from "./python.js"
 * @import { Said } from "./python_worker.js"
 * @import { PythonWorker, StartedWorker } from "./python_worker_start.js"
 */

/** A worker whose modules have not arrived by then is given up. */
const START_TIMEOUT_MS = 20_000;
/** A load that tells of no progress for so long; it gives itself up before, where it can. */
const LOAD_TIMEOUT_MS = 180_000;
/** A game whose step takes this long is none; the worker is lost. */
const CALL_TIMEOUT_MS = 30_000;
/** What came while this thread was blocked, or asleep, is read before anything is given up. */
const SECOND_LOOK_MS = 1_000;

/**
 * @typedef {object} WorkerParts
 * @property {() => StartedWorker} startWorker starts `python_worker.js`
 * @property {Pick<LockManager, "request">} [locks]
 * @property {Time} time
 */

/** @implements {Python} */
export class WorkerPython {
  /** @type {"worker"} */ where = "worker";
  #parts;
  /** @type {Line | null} to the present worker */ #line = null;
  #loaded = false;

  /** @param {WorkerParts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  get loaded() {
    return this.#loaded && this.#line?.lost === null;
  }

  /** @param {EnvironmentSource} environment */
  prepare(environment) {
    this.#open()
      .call("prepare", [environment], LOAD_TIMEOUT_MS)
      .catch(() => {}); // `load` is told.
  }

  /**
   * @param {EnvironmentSource} environment
   * @param {LoadWatcher} watcher
   * @returns {Promise<LoadFacts>}
   * @throws {WorkerFailedError} there is no worker, or it ended meanwhile
   * @throws {GraceError} a file cannot be fetched
   * @throws {Error} Pyodide cannot be started
   */
  async load(environment, watcher) {
    const line = this.#open();
    line.watcher = watcher;
    try {
      const facts = await line.call("load", [environment], LOAD_TIMEOUT_MS);
      this.#loaded = true;
      return facts;
    } catch (error) {
      throw error instanceof PythonLostError ? new WorkerFailedError(error.message) : error;
    } finally {
      line.watcher = null;
    }
  }

  /**
   * @param {EnvironmentSource} environment
   * @param {number} seed
   * @returns {Promise<void>}
   * @throws {EnvironmentError} the environment cannot be made, or its reset() raises
   * @throws {PythonLostError} the worker has ended; so it is with every other call
   */
  async reset(environment, seed) {
    await this.#call("reset", environment, seed);
  }

  /**
   * @param {StepActions} actions
   * @returns {Promise<boolean>}
   */
  step(actions) {
    return this.#call("step", actions);
  }

  /**
   * @param {StepActions[]} steps
   * @returns {Promise<Replayed>}
   */
  replay(steps) {
    return this.#call("replay", steps);
  }

  /** @returns {Promise<Shape[]>} */
  render() {
    return this.#call("render");
  }

  /** @returns {Promise<string>} */
  stateHash() {
    return this.#call("stateHash");
  }

  /** @returns {Promise<GameResult>} */
  result() {
    return this.#call("result");
  }

  /** End the worker; a next `load` begins with a new one. */
  terminate() {
    this.#line?.lose("it was terminated");
    this.#line = null;
    this.#loaded = false;
  }

  /**
   * @param {string} name
   * @param {...unknown} args
   */
  #call(name, ...args) {
    if (this.#line === null || !this.#loaded) {
      return Promise.reject(new GraceError("Python is not loaded"));
    }
    return this.#line.call(name, args, CALL_TIMEOUT_MS);
  }

  #open() {
    if (this.#line === null || this.#line.lost !== null) {
      this.#loaded = false;
      this.#line = new Line(this.#parts);
    }
    return this.#line;
  }
}

/** One worker: what was asked of it, and whether it lives. */
class Line {
  /** Why it is no more. @type {string | null} */ lost = null;
  /** @type {LoadWatcher | null} */ watcher = null;
  /** @type {PythonWorker | null} */ #worker = null;
  /** @type {Time} */ #time;
  #started = false;
  #calls = 0;
  /** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void,
   *   timeout_ms: number, giveUp: {cancel: () => void}}>} */
  #open = new Map();

  /** @param {WorkerParts} parts */
  constructor({ startWorker, locks, time }) {
    this.#time = time;
    let started;
    try {
      started = startWorker();
    } catch (error) {
      this.lose(String(error));
      return;
    }
    const { worker, lock, missed } = started;
    this.#worker = worker;
    const giveUp = this.#loseAfter(START_TIMEOUT_MS, "it did not start in time");
    const hear = (/** @type {Said & {failure?: string}} */ said) => {
      if (said.failure !== undefined) {
        this.lose(said.failure);
        return;
      }
      this.#started = true;
      giveUp.cancel();
      if (said.started) {
        locks?.request(lock, () => this.lose("it has ended")).catch(() => {});
      }
      this.#take(said);
    };
    worker.onerror = (event) => {
      event.preventDefault?.();
      this.lose(event.message || "its script could not be loaded");
    };
    worker.onmessage = ({ data }) => hear(data);
    missed.forEach(hear);
  }

  /**
   * @param {string} call
   * @param {unknown[]} args
   * @param {number} timeout_ms
   * @returns {Promise<any>}
   */
  call(call, args, timeout_ms) {
    return new Promise((resolve, reject) => {
      if (this.lost !== null) {
        reject(this.#error());
        return;
      }
      this.#calls += 1;
      const giveUp = this.#wait(timeout_ms);
      this.#open.set(this.#calls, { resolve, reject, timeout_ms, giveUp });
      this.#worker?.postMessage({ id: this.#calls, call, args });
    });
  }

  /** @param {string} why */
  lose(why) {
    if (this.lost !== null) {
      return;
    }
    this.lost = why;
    this.#worker?.terminate();
    for (const { reject, giveUp } of this.#open.values()) {
      giveUp.cancel();
      reject(this.#error());
    }
    this.#open.clear();
  }

  /** @param {number} timeout_ms */
  #wait(timeout_ms) {
    return this.#loseAfter(timeout_ms, `it answered nothing for ${timeout_ms / 1000} s`);
  }

  /**
   * @param {number} timeout_ms
   * @param {string} why
   * @returns {{cancel: () => void}}
   */
  #loseAfter(timeout_ms, why) {
    let timer = this.#time.setTimeout(() => {
      timer = this.#time.setTimeout(() => this.lose(why), SECOND_LOOK_MS);
    }, timeout_ms);
    return { cancel: () => this.#time.clearTimeout(timer) };
  }

  /** The worker is alive and at work: what it was asked has its time anew. */
  #waitAnew() {
    for (const call of this.#open.values()) {
      call.giveUp.cancel();
      call.giveUp = this.#wait(call.timeout_ms);
    }
  }

  #error() {
    return this.#started
      ? new PythonLostError(`Python's worker was lost: ${this.lost}`)
      : new WorkerFailedError(`Python's worker could not be started: ${this.lost}`);
  }

  /** @param {Said} said */
  #take({ id, value, error, stage, progress }) {
    if (stage !== undefined) {
      this.#waitAnew();
      this.watcher?.onStage(stage);
    } else if (progress !== undefined) {
      this.#waitAnew();
      this.watcher?.onProgress(progress);
    }
    const call = id === undefined ? undefined : this.#open.get(id);
    if (id === undefined || call === undefined) {
      return;
    }
    this.#open.delete(id);
    call.giveUp.cancel();
    if (error === undefined) {
      call.resolve(value);
    } else {
      call.reject(raised(error));
    }
  }
}

/**
 * @param {{name: string, message: string}} error as the worker tells it
 * @returns {Error}
 */
function raised({ name, message }) {
  if (name === EnvironmentError.name) {
    return new EnvironmentError(message);
  }
  return name === GraceError.name
    ? new GraceError(message)
    : Object.assign(new Error(message), { name });
}
