/**
 * Python in the thread that this runs in, by Pyodide: the page's main thread, which it blocks for
 * seconds, or a worker's.
 */

import { Downloads } from "./downloads.js";
import { EnvironmentRunner } from "./environment_runner.js";
import { EnvironmentError, GraceError } from "./errors.js";
import { startPyodide } from "./pyodide_start.js";

/**
 * @import { RunnerModule } from "./environment_runner.js"
 * @import { Pyodide, Started, StartParts } from "./pyodide_start.js"
 * @import { GameResult, StepActions } from "./protocol.js"
 * @import { EnvironmentSource, LoadFacts, LoadWatcher, Python } from "./python.js"
 * @import { PythonConfig, Replayed, Shape } from "./python.js"
 */

const RUNNER_MODULE = "grace_runner";
const WHEEL = ".whl";

/**
 * @typedef {Omit<StartParts, "downloads"> & {fetch: (url: string) => Promise<Response>}} HostParts
 */

/** @implements {Python} */
export class PythonHost {
  /** @type {"main" | "worker"} */ where;
  /** @type {PythonConfig} */ #config;
  /** @type {Omit<StartParts, "downloads">} */ #parts;
  /** @type {(url: string) => Promise<Response>} */ #fetch;
  /** @type {Downloads} */ #downloads;
  #attempts = 0;
  /** @type {Promise<Started> | null} under way, or done */ #start = null;
  /** @type {Set<string>} loaded, by name or address */ #packages = new Set();
  /** @type {EnvironmentRunner | null} */ #runner = null;
  /** @type {Map<string, Promise<string>>} source texts by address */ #sources = new Map();

  /**
   * @param {"main" | "worker"} where
   * @param {HostParts} parts
   */
  constructor(where, { fetch, ...parts }) {
    this.where = where;
    this.#config = parts.config;
    this.#parts = parts;
    this.#fetch = fetch;
    this.#downloads = new Downloads(fetch, parts.time);
  }

  get loaded() {
    return this.#runner !== null;
  }

  /**
   * In a worker everything may be begun; on the main thread nothing may, as it would block the page
   * before that was announced.
   * @param {EnvironmentSource} environment
   */
  prepare(environment) {
    if (this.where === "worker") {
      this.#begin().catch(() => {}); // `load` is told.
      this.#source(environment.url).catch(() => {}); // So is whoever needs it.
    }
  }

  /**
   * Load what is not loaded yet. What one attempt has loaded the next one keeps. An environment
   * that cannot be made does not fail the load: trying again would not help, and `reset` raises it
   * in a game, where the server is told the traceback.
   * @param {EnvironmentSource} environment
   * @param {LoadWatcher} watcher
   * @returns {Promise<LoadFacts>}
   * @throws {GraceError} a file cannot be fetched
   * @throws {Error} Pyodide cannot be started
   */
  async load(environment, { onStage, onProgress }) {
    const starting = this.#begin();
    this.#downloads.onProgress = onProgress;
    onProgress(this.#downloads.progress);
    const { pyodide, facts, keep } = await starting;
    await onStage("packages");
    await this.#loadPackages(pyodide);
    this.#runner ??= await this.#installRunner(pyodide, facts.snapshot === "restored");
    await onStage("environment");
    const source = await this.#source(environment.url);
    try {
      this.#runner.make(environment, source);
    } catch (error) {
      if (!(error instanceof EnvironmentError)) {
        throw error;
      }
    }
    keep();
    return { runtime: this.where, ...facts };
  }

  /**
   * @param {EnvironmentSource} environment
   * @param {number} seed
   * @throws {EnvironmentError} the environment cannot be made, or its reset() raises
   */
  async reset(environment, seed) {
    const runner = this.#ready;
    runner.reset(environment, await this.#source(environment.url), seed);
  }

  /** @param {StepActions} actions */
  async step(actions) {
    return this.#ready.step(actions);
  }

  /**
   * @param {StepActions[]} steps
   * @returns {Promise<Replayed>}
   */
  async replay(steps) {
    return this.#ready.replay(steps);
  }

  /** @returns {Promise<Shape[]>} */
  async render() {
    return JSON.parse(this.#ready.render());
  }

  async stateHash() {
    return this.#ready.stateHash();
  }

  /** @returns {Promise<GameResult>} */
  async result() {
    return this.#ready.result();
  }

  /** Let go of the environment. Pyodide itself cannot be unloaded from a thread. */
  terminate() {
    this.#runner?.terminate();
  }

  /** @throws {GraceError} nothing is loaded */
  get #ready() {
    if (this.#runner === null) {
      throw new GraceError("Python is not loaded");
    }
    return this.#runner;
  }

  /** @returns {Promise<Started>} the start under way, or a new one after one that failed */
  #begin() {
    if (this.#start === null) {
      this.#attempts += 1;
      const downloads = new Downloads(this.#fetch, this.#parts.time);
      const start = startPyodide({ ...this.#parts, downloads }, this.#attempts);
      this.#downloads = downloads;
      this.#start = start;
      start.catch(() => {
        this.#start = null;
        // What of it still arrives is no progress of the next attempt.
        downloads.onProgress = () => {};
      });
    }
    return this.#start;
  }

  /** @param {Pyodide} pyodide */
  async #loadPackages(pyodide) {
    const { wheels, distribution } = this.#config;
    for (const asked of [distribution?.packages ?? [], ...wheels.map((wheel) => [wheel])]) {
      const wanted = asked.filter((name) => !this.#packages.has(name));
      if (wanted.length > 0) {
        // What it has loaded before it does not name again.
        const loaded = (await pyodide.loadPackage(wanted)).map(({ name }) => name);
        const missing = wanted.filter((name) => !loaded.includes(name) && !isWheelOf(name, loaded));
        if (missing.length > 0) {
          throw new GraceError(`packages could not be loaded: ${missing.join(", ")}`);
        }
        for (const name of wanted) {
          this.#packages.add(name);
        }
      }
    }
  }

  /**
   * @param {Pyodide} pyodide
   * @param {boolean} isRestored the snapshot has it in its memory
   */
  async #installRunner(pyodide, isRestored) {
    if (!isRestored) {
      const source = await this.#downloads.text(this.#config.runner_url);
      pyodide.FS.writeFile(`${RUNNER_MODULE}.py`, new TextEncoder().encode(source));
    }
    const module = /** @type {RunnerModule} */ (pyodide.pyimport(RUNNER_MODULE));
    if (isRestored) {
      module.after_restore();
    }
    return new EnvironmentRunner(pyodide, module);
  }

  /**
   * @param {string} url
   * @returns {Promise<string>} fetched once
   */
  #source(url) {
    let source = this.#sources.get(url);
    if (source === undefined) {
      source = this.#downloads.text(url);
      this.#sources.set(url, source);
      source.catch(() => this.#sources.delete(url));
    }
    return source;
  }
}

/**
 * @param {string} asked
 * @param {string[]} loaded
 * @returns {boolean} whether a wheel was asked for by its address, and something was loaded
 */
function isWheelOf(asked, loaded) {
  return asked.endsWith(WHEEL) && loaded.length > 0;
}
