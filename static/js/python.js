/**
 * Python in the browser, as the rest of the page sees it. Every call is asynchronous, so that one
 * implementation may run on the page's main thread and another in a worker.
 *
 * @typedef {object} PythonConfig where the server has everything that Python is made of
 * @property {"main" | "worker"} runtime where it is to run
 * @property {string} pyodide_url folder of Pyodide's files, with a slash at its end
 * @property {string} runner_url `grace_runner.py`
 * @property {Record<string, number>} bytes sizes of Pyodide's files, not compressed
 * @property {object} lock_info what Pyodide's lock says of its own build
 * @property {{url: string, bytes: number, header_bytes: number} | null}
 *   snapshot of an interpreter that has imported the study's environments
 * @property {{url: string, bytes: number} | null} packages the study's pure packages, in a pack
 * @property {string[]} wheels addresses of its WebAssembly packages
 * @property {{url: string, packages: string[]} | null} distribution what it takes from Pyodide's own
 *
 * @typedef {object} EnvironmentSource
 * @property {string} url where the environment's Python source is
 * @property {Record<string, unknown>} config keyword arguments of its `parallel_env()`
 *
 * @typedef {object} LoadProgress how much has arrived, not compressed
 * @property {number} received_bytes
 * @property {number} total_bytes
 *
 * @typedef {object} LoadWatcher what wants to know how far a load is
 * @property {(stage: LoadingStage) => Promise<void>} onStage awaited before each stage after the
 *   first, so that a page that is about to be blocked can be painted
 * @property {(progress: LoadProgress) => void} onProgress
 *
 * @typedef {object} LoadFacts how Python was loaded
 * @property {"main" | "worker"} runtime
 * @property {"restored" | "none" | "failed"} snapshot `none`: the server offers none
 * @property {string} [snapshot_error] why it failed
 * @property {string} [worker_error] why the page's main thread had to do what a worker should
 *
 * @typedef {object} Shape something to draw; see `canvas.js`
 * @property {string} shape
 *
 * @typedef {object} Replayed
 * @property {number} applied how many of the steps; fewer than given when the episode ended
 * @property {boolean} over whether the episode is over
 *
 * @typedef {object} Python
 * @property {"main" | "worker"} where
 * @property {boolean} loaded whether it is there; false again once it was lost
 * @property {(environment: EnvironmentSource) => void} prepare begins what may be done before
 *   a load is announced: whatever does not block the page
 * @property {(environment: EnvironmentSource, watcher: LoadWatcher) => Promise<LoadFacts>} load loads
 *   what is not loaded yet. An environment that cannot be made does not fail it: `reset` raises
 *   that as an `EnvironmentError`
 * @property {(environment: EnvironmentSource, seed: number) => Promise<void>} reset begins an
 *   episode
 * @property {(actions: StepActions) => Promise<boolean>} step whether the
 *   episode is over
 * @property {(steps: StepActions[]) => Promise<Replayed>} replay
 * @property {() => Promise<Shape[]>} render
 * @property {() => Promise<string>} stateHash
 * @property {() => Promise<GameResult>} result
 * @property {() => void} terminate
 */

/** @import { GameResult, LoadingStage, StepActions } from "./protocol.js" */

export {};
