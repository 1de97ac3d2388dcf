/**
 * Python in a worker: the page says what to do, one message a call, and is told what came of it.
 *
 * @typedef {{config: PythonConfig, lock: string}} Beginning the first message
 * @typedef {{id: number, call: string, args: any[]}} Call
 *
 * @typedef {object} Said what the worker says: once that it has started, then what came of calls
 * @property {true} [started]
 * @property {number} [id] of the call
 * @property {unknown} [value]
 * @property {{name: string, message: string}} [error]
 * @property {LoadingStage} [stage] reached by a load
 * @property {LoadProgress} [progress] of a load
 */

import { browserTime } from "./environment.js";
import { PythonHost } from "./python_host.js";
import { SnapshotStore } from "./snapshot_store.js";

/**
 * @import { LoadingStage } from "./protocol.js"
 * @import { LoadProgress, PythonConfig } from "./python.js"
 */

const worker = /** @type {{onmessage: ((event: MessageEvent) => void) | null,
  postMessage: (message: Said) => void}} */ (/** @type {unknown} */ (globalThis));

/** @type {PythonHost | null} */
let host = null;

worker.onmessage = async ({ data }) => {
  if (host === null) {
    host = begin(data);
    return;
  }
  const { id, call, args } = /** @type {Call} */ (data);
  try {
    worker.postMessage({ id, value: await answer(host, call, args) });
  } catch (failure) {
    const error = failure instanceof Error ? failure : new Error(String(failure));
    worker.postMessage({ id, error: { name: error.name, message: error.message } });
  }
};

/** @param {Beginning} beginning */
function begin({ config, lock }) {
  const started = () => worker.postMessage({ started: true });
  if (navigator.locks) {
    // Held for as long as this worker lives: whoever gets it next knows that it does no more.
    navigator.locks
      .request(lock, () => {
        started();
        return new Promise(() => {});
      })
      .catch(started); // Where storage is forbidden, locks are.
  } else {
    started();
  }
  return new PythonHost("worker", {
    config,
    importModule: (url) => import(url),
    fetch: (url) => fetch(url),
    time: browserTime,
    global: globalThis,
    store: new SnapshotStore(navigator.storage),
  });
}

/**
 * @param {PythonHost} python
 * @param {string} call
 * @param {any[]} args
 * @returns {Promise<unknown>}
 */
async function answer(python, call, args) {
  switch (call) {
    case "prepare":
      return python.prepare(args[0]);
    case "load":
      return python.load(args[0], {
        onStage: async (stage) => worker.postMessage({ stage }),
        onProgress: (progress) => worker.postMessage({ progress }),
      });
    case "reset":
      return python.reset(args[0], args[1]);
    case "step":
      return python.step(args[0]);
    case "replay":
      return python.replay(args[0]);
    case "render":
      return python.render();
    case "stateHash":
      return python.stateHash();
    case "result":
      return python.result();
    default:
      throw new Error(`the page asked for ${call}`);
  }
}
