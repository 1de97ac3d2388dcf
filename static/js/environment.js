/**
 * What the modules need of the browser, as small interfaces, so that tests can stand in for it.
 *
 * @typedef {object} Time
 * @property {() => number} now milliseconds since the epoch, never going back
 * @property {(fn: () => void, delay_ms: number) => unknown} setTimeout
 * @property {(timer: any) => void} clearTimeout
 *
 * @typedef {() => number} Random a number in [0, 1)
 *
 * @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} KeyValueStore
 */

/**
 * The browser's time: `performance.timeOrigin + performance.now()` (W3C High Resolution Time), so
 * that records of several pages and of the server can be merged, and steps of the wall clock change
 * nothing.
 * @type {Time}
 */
export const browserTime = {
  now: () => performance.timeOrigin + performance.now(),
  setTimeout: (fn, delay_ms) => setTimeout(fn, delay_ms),
  clearTimeout: (timer) => clearTimeout(timer),
};

/**
 * A promise that is kept after a while.
 * @param {Time} time
 * @param {number} delay_ms
 * @returns {Promise<void>}
 */
export function delay(time, delay_ms) {
  return new Promise((resolve) => {
    time.setTimeout(resolve, delay_ms);
  });
}

/**
 * An id of 32 hexadecimal digits. `crypto.randomUUID` would do, but exists only on secure origins
 * (W3C Web Cryptography), and a lab's server is often plain http.
 * @returns {string}
 */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Lets the browser paint what was changed. A hidden page has no animation frames, so a timer
 * bounds the wait.
 * @returns {Promise<void>}
 */
export function nextPaint() {
  return new Promise((resolve) => {
    // The first frame runs before the paint, the second after it.
    requestAnimationFrame(() => requestAnimationFrame(() => resolve()));
    setTimeout(resolve, 150);
  });
}

/**
 * Lets pending events run. Unlike a timer a message is not slowed down in a hidden page.
 * @returns {Promise<void>}
 */
export function nextTask() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/**
 * The tab's storage, or one that lasts as long as the page where the browser forbids it.
 * @returns {KeyValueStore}
 */
export function tabStorage() {
  try {
    const probe = "grace.probe";
    sessionStorage.setItem(probe, probe);
    sessionStorage.removeItem(probe);
    return sessionStorage;
  } catch {
    /** @type {Map<string, string>} */
    const values = new Map();
    return {
      getItem: (key) => values.get(key) ?? null,
      setItem: (key, value) => void values.set(key, value),
      removeItem: (key) => void values.delete(key),
    };
  }
}
