/**
 * Python in the browser, as the rest of the page sees it. Every call is asynchronous, so that one
 * implementation may run on the page's main thread and another in a worker.
 *
 * @typedef {object} EnvironmentSource
 * @property {string} url where the environment's Python source is
 * @property {Record<string, unknown> | null} config keyword arguments of its `parallel_env()`;
 *   null while they are not known, and then only the source is fetched
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
 * @property {(
 *   environment: EnvironmentSource,
 *   onStage: (stage: LoadingStage) => Promise<void>,
 * ) => Promise<void>} load loads what is not loaded yet; `onStage` is awaited before each stage
 *   after the first, so that the page can be painted. An environment that cannot be made does
 *   not fail it: `reset` raises that as an `EnvironmentError`
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
