/** Runs one environment by `grace_runner`, in an interpreter that is there. */

import { EnvironmentError, GraceError } from "./errors.js";

/**
 * @import { GameResult, StepActions } from "./protocol.js"
 * @import { EnvironmentSource, Replayed } from "./python.js"
 */

/**
 * @typedef {object} RunnerProxy `grace_runner.Runner`, strings in and out
 * @property {(seed: number) => void} reset
 * @property {number} frame
 * @property {(actions_json: string) => boolean} step
 * @property {(frames_json: string) => boolean} replay
 * @property {() => string} render_json
 * @property {() => string} state_hash
 * @property {() => string} result_json
 * @property {() => void} destroy
 *
 * @typedef {object} RunnerModule `grace_runner`
 * @property {(source: string, filename: string, config_json: string) => RunnerProxy} Runner
 * @property {(exception: unknown) => string} format_traceback
 * @property {() => void} after_restore
 *
 * @typedef {{pyimport: (name: string) => any}} Importing what is used of Pyodide
 */

export class EnvironmentRunner {
  /** @type {Importing} */ #pyodide;
  /** @type {RunnerModule} */ #module;
  /** @type {RunnerProxy | null} */ #runner = null;
  /** The environment of a runner that has not been used yet. @type {string | null} */
  #fresh = null;

  /**
   * @param {Importing} pyodide
   * @param {RunnerModule} module
   */
  constructor(pyodide, module) {
    this.#pyodide = pyodide;
    this.#module = module;
  }

  /**
   * @param {EnvironmentSource} environment
   * @param {string} source
   * @throws {EnvironmentError} the environment cannot be made
   */
  make(environment, source) {
    this.terminate();
    // The name that tracebacks show; the last two parts of the address say which scene it is.
    const filename = environment.url.split("/").slice(-2).join("/");
    this.#runner = this.#inPython((module) =>
      module.Runner(source, filename, JSON.stringify(environment.config)),
    );
    this.#fresh = JSON.stringify(environment);
  }

  /**
   * @param {EnvironmentSource} environment
   * @param {string} source
   * @param {number} seed
   * @throws {EnvironmentError} the environment cannot be made, or its reset() raises
   */
  reset(environment, source, seed) {
    // Every game has a runner of its own: what an environment's reset() forgets would make the two
    // browsers differ as soon as one of them has played before.
    if (this.#fresh !== JSON.stringify(environment)) {
      this.make(environment, source);
    }
    this.#fresh = null;
    this.#run((runner) => runner.reset(seed));
  }

  /**
   * @param {StepActions} actions
   * @returns {boolean} whether the episode is over
   */
  step(actions) {
    return this.#run((runner) => runner.step(JSON.stringify(actions)));
  }

  /**
   * @param {StepActions[]} steps
   * @returns {Replayed}
   */
  replay(steps) {
    return this.#run((runner) => {
      const before = runner.frame;
      const over = runner.replay(JSON.stringify(steps));
      return { applied: runner.frame - before, over };
    });
  }

  /** @returns {string} a JSON list of shapes */
  render() {
    return this.#run((runner) => runner.render_json());
  }

  /** @returns {string} */
  stateHash() {
    return this.#run((runner) => runner.state_hash());
  }

  /** @returns {GameResult} */
  result() {
    return JSON.parse(this.#run((runner) => runner.result_json()));
  }

  /** Let go of the environment. */
  terminate() {
    this.#runner?.destroy();
    this.#runner = null;
    this.#fresh = null;
  }

  /**
   * @template T
   * @param {(runner: RunnerProxy) => T} use
   * @returns {T}
   * @throws {EnvironmentError} the environment raised
   */
  #run(use) {
    const runner = this.#runner;
    if (!runner) {
      throw new GraceError("there is no environment to run");
    }
    return this.#inPython(() => use(runner));
  }

  /**
   * @template T
   * @param {(module: RunnerModule) => T} use
   * @returns {T}
   * @throws {EnvironmentError} the environment raised
   */
  #inPython(use) {
    try {
      return use(this.#module);
    } catch (error) {
      throw error instanceof Error && error.name === "PythonError"
        ? new EnvironmentError(this.#traceback())
        : error;
    }
  }

  /** The last exception as the environment's author should see it. */
  #traceback() {
    // Pyodide keeps it in sys.last_exc, as Python's own prompt does (docs.python.org, sys).
    const sys = this.#pyodide.pyimport("sys");
    const exception = sys.last_exc;
    const text = this.#module.format_traceback(exception);
    exception.destroy();
    sys.destroy();
    return text;
  }
}
