/** Python in a worker, or on the page's main thread where the worker cannot be had. */

import { WorkerFailedError } from "./errors.js";

/**
 * @import { StepActions } from "./protocol.js"
 * @import { EnvironmentSource, LoadFacts, LoadWatcher, Python } from "./python.js"
 */

/** @implements {Python} */
export class PythonChoice {
  /** @type {Python} the one in use */ #python;
  /** @type {() => Python} */ #makeMain;
  /** @type {string | undefined} */ #worker_error;
  /** Whether nobody wants it any more. */
  #ended = false;

  /**
   * @param {Python} worker
   * @param {() => Python} makeMain makes the one on the main thread
   */
  constructor(worker, makeMain) {
    this.#python = worker;
    this.#makeMain = makeMain;
  }

  get where() {
    return this.#python.where;
  }

  get loaded() {
    return this.#python.loaded;
  }

  /** @param {EnvironmentSource} environment */
  prepare(environment) {
    this.#python.prepare(environment);
  }

  /**
   * @param {EnvironmentSource} environment
   * @param {LoadWatcher} watcher
   * @returns {Promise<LoadFacts>}
   */
  async load(environment, watcher) {
    if (this.#ended) {
      throw new WorkerFailedError("the session is over");
    }
    try {
      return { ...(await this.#python.load(environment, watcher)), ...this.#fallback };
    } catch (error) {
      if (this.#ended || !(error instanceof WorkerFailedError)) {
        throw error;
      }
      this.#python.terminate();
      this.#python = this.#makeMain();
      this.#worker_error = error.message;
    }
    // The page will be blocked after all, and is painted before.
    await watcher.onStage("runtime");
    return { ...(await this.#python.load(environment, watcher)), ...this.#fallback };
  }

  /**
   * @param {EnvironmentSource} environment
   * @param {number} seed
   */
  reset(environment, seed) {
    return this.#python.reset(environment, seed);
  }

  /** @param {StepActions} actions */
  step(actions) {
    return this.#python.step(actions);
  }

  /** @param {StepActions[]} steps */
  replay(steps) {
    return this.#python.replay(steps);
  }

  render() {
    return this.#python.render();
  }

  stateHash() {
    return this.#python.stateHash();
  }

  result() {
    return this.#python.result();
  }

  /** For good: the session is over. */
  terminate() {
    this.#ended = true;
    this.#python.terminate();
  }

  get #fallback() {
    return this.#worker_error === undefined ? {} : { worker_error: this.#worker_error };
  }
}
