/** An environment without Python: its state is the sum of the actions, its end a number of steps. */

/**
 * @import { LoadingStage, StepActions } from "../../../static/js/protocol.js"
 * @import { EnvironmentSource, LoadWatcher, Python } from "../../../static/js/python.js"
 */

/** @implements {Python} */
export class FakePython {
  /** @type {"main" | "worker"} */ where = "main";
  loaded = false;
  /** @type {EnvironmentSource[]} */ prepared = [];
  /** @type {EnvironmentSource[]} */ loads = [];
  /** @type {(stage: LoadingStage) => void} */ onStageDone = () => {};
  /** @type {Error | null} what the next call raises */ failure = null;
  /** @type {number[]} */ seeds = [];
  /** @type {StepActions[]} */ applied = [];
  #length;

  /** @param {number} [length] steps of an episode */
  constructor(length = Number.POSITIVE_INFINITY) {
    this.#length = length;
  }

  /** @param {EnvironmentSource} environment */
  prepare(environment) {
    this.prepared.push(environment);
  }

  /**
   * @param {EnvironmentSource} environment
   * @param {LoadWatcher} watcher
   */
  async load(environment, { onStage, onProgress }) {
    this.loads.push(environment);
    onProgress({ received_bytes: 1, total_bytes: 4 });
    this.onStageDone("runtime");
    await onStage("packages");
    this.onStageDone("packages");
    await onStage("environment");
    this.#raise();
    this.onStageDone("environment");
    this.loaded = true;
    return { runtime: this.where, snapshot: /** @type {const} */ ("none") };
  }

  /**
   * @param {EnvironmentSource} _environment
   * @param {number} seed
   */
  async reset(_environment, seed) {
    this.#raise();
    this.seeds.push(seed);
    this.applied = [];
  }

  /** @param {StepActions} actions */
  async step(actions) {
    this.#raise();
    this.applied.push(actions);
    return this.applied.length >= this.#length;
  }

  /** @param {StepActions[]} steps */
  async replay(steps) {
    this.#raise();
    const left = this.#length - this.applied.length;
    const applied = steps.slice(0, left);
    this.applied.push(...applied);
    return { applied: applied.length, over: this.applied.length >= this.#length };
  }

  async render() {
    return [{ shape: "text" }];
  }

  async stateHash() {
    return `hash-${JSON.stringify(this.applied)}`;
  }

  async result() {
    return { frames: this.applied.length };
  }

  terminate() {
    this.loaded = false;
  }

  #raise() {
    const failure = this.failure;
    this.failure = null;
    if (failure) {
      throw failure;
    }
  }
}
