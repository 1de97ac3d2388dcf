/**
 * Watches a page from before its first script: what blocks its main thread, and how far apart its
 * frames are. It is put into the page by the browser, so it costs nothing on the wire.
 */
(() => {
  const SHORTEST_GAP_MS = 17;
  /** Both are lists of [begin, length], in milliseconds from the navigation's start. */
  const bench = { tasks: [], gaps: [] };
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) {
      bench.tasks.push([startTime, duration]);
    }
  }).observe({ type: "longtask", buffered: true });
  // Said at once, instead of never saying that it is ready.
  const fail = (error) => console.log(`bench: failed: ${error}`);
  addEventListener("error", (event) => fail(event.message));
  addEventListener("unhandledrejection", (event) => fail(event.reason));
  let last_ms = null;
  const look = () => {
    const now_ms = performance.now();
    if (last_ms !== null && now_ms - last_ms > SHORTEST_GAP_MS) {
      bench.gaps.push([last_ms, now_ms - last_ms]);
    }
    last_ms = now_ms;
    requestAnimationFrame(look);
  };
  // The page before it is to be idle.
  if (!location.pathname.endsWith("/blank")) {
    requestAnimationFrame(look);
  }
  window.bench = bench;
})();
