/**
 * Ticks from a worker: the timers of a hidden page are slowed down to one a second, a worker's are
 * not, so a game goes on in a tab that nobody looks at. It is told the period in milliseconds, and
 * ticks again only after the page has answered the last tick, so none pile up while the page is
 * busy.
 */

const worker = /** @type {{onmessage: ((event: MessageEvent) => void) | null,
  postMessage: (message: null) => void}} */ (/** @type {unknown} */ (globalThis));

let period_ms = 0;
let due_ms = 0;

worker.onmessage = ({ data }) => {
  const now_ms = performance.now();
  if (typeof data === "number") {
    period_ms = data;
    due_ms = now_ms;
  }
  // From the time it was due, not from now, or every tick would be a little late.
  due_ms = Math.max(due_ms + period_ms, now_ms);
  setTimeout(() => worker.postMessage(null), due_ms - now_ms);
};
