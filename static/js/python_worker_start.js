/**
 * Starts the worker of Python, before the rest of the page has arrived: it has the longest way to
 * go. So this module needs no other.
 *
 * @typedef {object} StartedWorker
 * @property {PythonWorker} worker it was told what there is, and begins with it
 * @property {string} lock the name of the lock that it holds for as long as it lives
 * @property {any[]} missed messages that came before anybody listened
 *
 * @typedef {object} PythonWorker the part of `Worker` that is used
 * @property {((event: any) => void) | null} onmessage
 * @property {((event: any) => void) | null} onerror
 * @property {(message: unknown) => void} postMessage
 * @property {() => void} terminate
 */

/** @import { EnvironmentSource, PythonConfig } from "./python.js" */

/** Calls that the page makes have numbers from 1. */
const NO_CALL = 0;

/** @type {StartedWorker | null} that the page has not asked for yet */
let early = null;
let isTaken = false;

/**
 * Start the worker unless the page was here first.
 * @param {PythonConfig} config
 * @param {EnvironmentSource} environment whose source it fetches
 */
export function startEarly(config, environment) {
  if (!isTaken && early === null) {
    early = start(config);
    early.worker.postMessage({ id: NO_CALL, call: "prepare", args: [environment] });
  }
}

/**
 * The worker that was started early, once, and then new ones.
 * @param {PythonConfig} config
 * @returns {StartedWorker}
 * @throws {Error} the browser lets nobody start one
 */
export function takeWorker(config) {
  const taken = early ?? start(config);
  early = null;
  isTaken = true;
  return taken;
}

/**
 * @param {PythonConfig} config
 * @returns {StartedWorker}
 */
function start(config) {
  const url = new URL("./python_worker.js", import.meta.url);
  /** @type {PythonWorker} */ const worker = new Worker(url, { type: "module" });
  // Only secure origins have it, as they have locks (W3C Web Cryptography, Web Locks).
  const lock = `grace-python-${crypto.randomUUID?.()}`;
  /** @type {any[]} */ const missed = [];
  worker.onmessage = ({ data }) => void missed.push(data);
  worker.onerror = (event) => {
    event.preventDefault?.();
    missed.push({ failure: event.message || "its script could not be loaded" });
  };
  worker.postMessage({ config, lock });
  return { worker, lock, missed };
}
