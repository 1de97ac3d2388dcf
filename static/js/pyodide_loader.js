/**
 * Python on the page's main thread, by Pyodide. Loading it blocks the page for seconds: nothing
 * here can be heard or answered meanwhile.
 */

import { delay } from "./environment.js";
import { EnvironmentError, GraceError } from "./errors.js";

/**
 * @import { Time } from "./environment.js"
 * @import { GameResult, LoadingStage, StepActions } from "./protocol.js"
 * @import { EnvironmentSource, Python, Replayed, Shape } from "./python.js"
 */

const RUNNER_MODULE = "grace_runner";
/** What Pyodide 314 fetches when it starts, apart from its two modules, with its media types. */
const DATA_FILES = {
  "pyodide.asm.wasm": "application/wasm",
  "python_stdlib.zip": "application/zip",
  "pyodide-lock.json": "application/json",
};
/** After this long Pyodide is given up. It never says that its WebAssembly could not be compiled
 * (314.0.7 prints a warning and waits), for want of memory for instance. */
const START_TIMEOUT_MS = 120_000;

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
 * @typedef {object} RunnerModule
 * @property {(source: string, filename: string, config_json: string) => RunnerProxy} Runner
 * @property {(exception: unknown) => string} format_traceback
 *
 * @typedef {object} Pyodide what is used of Pyodide 314
 * @property {{writeFile: (path: string, text: string) => void}} FS
 * @property {(name: string) => any} pyimport
 *
 * @typedef {object} PyodideModule `pyodide.mjs`
 * @property {(options: {indexURL: string, createPyodideModule: unknown}) => Promise<Pyodide>
 *   } loadPyodide
 */

/** @implements {Python} */
export class MainThreadPython {
  /** @type {"main"} */ where = "main";
  #pyodide_url;
  #runner_url;
  /** @type {(url: string) => Promise<any>} */ #importModule;
  /** @type {(url: string) => Promise<Response>} */ #fetch;
  /** @type {Time} */ #time;
  /** @type {{fetch: typeof globalThis.fetch}} */ #global;
  #attempts = 0;
  /** @type {Pyodide | null} */ #pyodide = null;
  /** @type {RunnerModule | null} */ #module = null;
  /** @type {RunnerProxy | null} */ #runner = null;
  /** @type {Map<string, string>} source texts by address */ #sources = new Map();
  /** @type {EnvironmentSource | null} the environment of a runner that has not been used yet */
  #fresh = null;

  /**
   * @param {object} parts
   * @param {string} parts.pyodide_url folder of Pyodide's files, with a slash at its end
   * @param {string} parts.runner_url `grace_runner.py`
   * @param {(url: string) => Promise<any>} parts.importModule dynamic `import()`
   * @param {(url: string) => Promise<Response>} parts.fetch
   * @param {Time} parts.time
   * @param {{fetch: typeof globalThis.fetch}} [parts.global] where Pyodide looks `fetch` up
   */
  constructor({ pyodide_url, runner_url, importModule, fetch, time, global = globalThis }) {
    this.#pyodide_url = pyodide_url;
    this.#runner_url = runner_url;
    this.#importModule = importModule;
    this.#fetch = fetch;
    this.#time = time;
    this.#global = global;
  }

  /**
   * Load what is not loaded yet. What one attempt has loaded the next one keeps. An environment
   * that cannot be made does not fail the load: trying again would not help, and `reset` raises it
   * in a game, where the server is told the traceback.
   * @param {EnvironmentSource} environment
   * @param {(stage: LoadingStage) => Promise<void>} onStage
   * @throws {GraceError} a file cannot be fetched
   * @throws {Error} Pyodide cannot be started
   */
  async load(environment, onStage) {
    this.#pyodide ??= await this.#loadRuntime();
    await onStage("packages");
    this.#module ??= await this.#installRunner(this.#pyodide);
    await onStage("environment");
    try {
      await this.#makeRunner(environment);
    } catch (error) {
      if (!(error instanceof EnvironmentError)) {
        throw error;
      }
    }
  }

  /**
   * @param {EnvironmentSource} environment
   * @param {number} seed
   * @throws {EnvironmentError} the environment cannot be made, or its reset() raises
   */
  async reset(environment, seed) {
    // Every game has a runner of its own: what an environment's reset() forgets would make the two
    // browsers differ as soon as one of them has played before.
    if (JSON.stringify(this.#fresh) !== JSON.stringify(environment)) {
      await this.#makeRunner(environment);
    }
    this.#fresh = null;
    this.#run((runner) => runner.reset(seed));
  }

  /** @param {StepActions} actions */
  async step(actions) {
    return this.#run((runner) => runner.step(JSON.stringify(actions)));
  }

  /**
   * @param {StepActions[]} steps
   * @returns {Promise<Replayed>}
   */
  async replay(steps) {
    return this.#run((runner) => {
      const before = runner.frame;
      const over = runner.replay(JSON.stringify(steps));
      return { applied: runner.frame - before, over };
    });
  }

  /** @returns {Promise<Shape[]>} */
  async render() {
    return JSON.parse(this.#run((runner) => runner.render_json()));
  }

  async stateHash() {
    return this.#run((runner) => runner.state_hash());
  }

  /** @returns {Promise<GameResult>} */
  async result() {
    return JSON.parse(this.#run((runner) => runner.result_json()));
  }

  /** Let go of the environment. Pyodide itself cannot be unloaded from a page. */
  terminate() {
    this.#runner?.destroy();
    this.#runner = null;
    this.#fresh = null;
  }

  async #loadRuntime() {
    this.#attempts += 1;
    // A module that could not be fetched stays failed under its address in some browsers (HTML
    // standard, module map), so each further attempt asks under another.
    const again = this.#attempts === 1 ? "" : `?attempt=${this.#attempts}`;
    const [pyodide, core, files] = await Promise.all([
      this.#importModule(`${this.#pyodide_url}pyodide.mjs${again}`),
      this.#importModule(`${this.#pyodide_url}pyodide.asm.mjs${again}`),
      this.#fetchFiles(),
    ]);
    return withFiles(this.#global, files, () =>
      Promise.race([
        /** @type {PyodideModule} */ (pyodide).loadPyodide({
          indexURL: this.#pyodide_url,
          createPyodideModule: core.default,
        }),
        delay(this.#time, START_TIMEOUT_MS).then(() => {
          throw new GraceError(`Pyodide has not started within ${START_TIMEOUT_MS / 1000} s`);
        }),
      ]),
    );
  }

  /**
   * Fetched here, a missing file is an error with a name; fetched by Pyodide, it is a load that
   * never ends, or the error "[object Object]".
   * @returns {Promise<Map<string, Blob>>} by the end of its address
   */
  async #fetchFiles() {
    const files = Object.entries(DATA_FILES).map(async ([name, type]) => {
      const bytes = await (await this.#get(this.#pyodide_url + name)).arrayBuffer();
      return /** @type {const} */ ([this.#pyodide_url + name, new Blob([bytes], { type })]);
    });
    return new Map(await Promise.all(files));
  }

  /** @param {Pyodide} pyodide */
  async #installRunner(pyodide) {
    pyodide.FS.writeFile(`${RUNNER_MODULE}.py`, await this.#getText(this.#runner_url));
    return /** @type {RunnerModule} */ (pyodide.pyimport(RUNNER_MODULE));
  }

  /** @param {EnvironmentSource} environment */
  async #makeRunner(environment) {
    const { url, config } = environment;
    const source = this.#sources.get(url) ?? (await this.#getText(url));
    this.#sources.set(url, source);
    this.terminate();
    if (config === null) {
      return;
    }
    // The name that tracebacks show; the address says which scene it belongs to.
    const filename = url.replace(/^\/(study\/)?/, "");
    this.#runner = this.#inPython((module) =>
      module.Runner(source, filename, JSON.stringify(config)),
    );
    this.#fresh = environment;
  }

  /** @param {string} url */
  async #getText(url) {
    return (await this.#get(url)).text();
  }

  /**
   * @param {string} url
   * @returns {Promise<Response>} one that succeeded
   * @throws {GraceError} with the address in its message
   */
  async #get(url) {
    /** @type {Response} */ let response;
    try {
      response = await this.#fetch(url);
    } catch (error) {
      throw new GraceError(`${url} could not be fetched: ${error}`);
    }
    if (!response.ok) {
      throw new GraceError(`${url} could not be fetched: HTTP ${response.status}`);
    }
    return response;
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
    if (!this.#module) {
      throw new GraceError("Python is not loaded");
    }
    try {
      return use(this.#module);
    } catch (error) {
      throw error instanceof Error && error.name === "PythonError"
        ? new EnvironmentError(this.#traceback(this.#module))
        : error;
    }
  }

  /**
   * The last exception as the environment's author should see it.
   * @param {RunnerModule} module
   */
  #traceback(module) {
    // Pyodide keeps it in sys.last_exc, as Python's own prompt does (docs.python.org, sys).
    const sys = this.#pyodide?.pyimport("sys");
    const exception = sys.last_exc;
    const text = module.format_traceback(exception);
    exception.destroy();
    sys.destroy();
    return text;
  }
}

/**
 * Do something while `fetch` answers with files that are here already. Pyodide 314 can be handed
 * neither its WebAssembly nor its library; it would fetch them once more, since ten megabytes do
 * not stay in the memory cache of a private window, and would hang if the server is gone by then.
 * @template T
 * @param {{fetch: typeof globalThis.fetch}} global
 * @param {Map<string, Blob>} files by path
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
async function withFiles(global, files, action) {
  const original = global.fetch;
  global.fetch = (input, init) => {
    const path = new URL(input instanceof Request ? input.url : input, import.meta.url).pathname;
    const file = files.get(path);
    return file
      ? Promise.resolve(new Response(file, { headers: { "content-type": file.type } }))
      : original.call(global, input, init);
  };
  try {
    return await action();
  } finally {
    global.fetch = original;
  }
}
