/** What happens on a page once Python is there: it is played, and what that costs is measured. */

const STEPS_PER_S = 30;
const SIZE = { width: 800, height: 400 };
/** Steps before any of them is timed, so that the browser has compiled what it will. */
const WARM_UP = 100;
/** How long a page may take to keep its snapshot. */
const KEEP_TIMEOUT_MS = 10_000;

/**
 * Play for a while, as a participant would, and see to it that what a next visit can use is kept.
 * @param {object} python `step`, `render` and `reset`, all asynchronous
 * @param {{config: object, facts: object, store?: object}} loaded
 */
export async function goOn(python, { config, facts, store }) {
  const { GameCanvas, Ticker, browserTime } = await productModules(config);
  const canvas = document.createElement("canvas");
  document.getElementById("scene").replaceChildren(canvas);
  const board = new GameCanvas(canvas, SIZE);
  const startTicker = () => new Worker(tickerScript(config), { type: "module" });
  const ticker = new Ticker({ time: browserTime, startWorker: startTicker });
  Object.assign(window.bench, {
    facts,
    play: (steps) => play(python, board, ticker, steps),
    timeSteps: (steps) => timeSteps(python, steps),
    isKept: async () => {
      const { snapshot } = config.python;
      return snapshot === null || facts.snapshot !== "restored" || (await keeps(store, snapshot));
    },
  });
  console.log("bench: ready");
}

/**
 * Play in real time, and draw each step.
 * @returns {Promise<{steps_per_s: number, worst_delay_ms: number}>} the longest time from when a
 *   step was due until it was drawn
 */
function play(python, board, ticker, steps) {
  return new Promise((resolve, reject) => {
    const begun_ms = performance.now();
    let done = 0;
    let worst_delay_ms = 0;
    const onTick = async (due) => {
      const next_due_ms = begun_ms + ((done + 1) * 1000) / STEPS_PER_S;
      for (let step = 0; step < due && done < steps; step += 1) {
        await stepOnce(python, done);
        done += 1;
      }
      board.draw(await python.render());
      const now_ms = performance.now();
      worst_delay_ms = Math.max(worst_delay_ms, now_ms - next_due_ms);
      if (done >= steps) {
        ticker.stop();
        resolve({ steps_per_s: (1000 * done) / (now_ms - begun_ms), worst_delay_ms });
      }
    };
    ticker.start(STEPS_PER_S, (due) => onTick(due).catch(reject));
  });
}

/**
 * Step and render as fast as it goes.
 * @returns {Promise<number[]>} milliseconds of each step with its rendering
 */
async function timeSteps(python, steps) {
  const taken_ms = [];
  for (let step = -WARM_UP; step < steps; step += 1) {
    const begun_ms = performance.now();
    const over = await python.step(actionsOf(step + WARM_UP));
    await python.render();
    if (step >= 0) {
      taken_ms.push(performance.now() - begun_ms);
    }
    if (over) {
      await python.reset(step + WARM_UP);
    }
  }
  return taken_ms;
}

async function stepOnce(python, step) {
  if (await python.step(actionsOf(step))) {
    await python.reset(step);
  }
}

/** Two players who move and jump; the same on every page. */
function actionsOf(step) {
  return [Math.floor(step / 7) % 8, Math.floor(step / 11) % 8];
}

async function keeps(store, { url }) {
  const name = url.split("/").slice(-2, -1).join();
  const deadline_ms = performance.now() + KEEP_TIMEOUT_MS;
  while ((await store.read(name)) === null) {
    if (performance.now() > deadline_ms) {
      return false;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return true;
}

async function productModules(config) {
  const [canvas, ticker, environment] = await Promise.all(
    ["canvas.js", "ticker.js", "environment.js"].map((name) => import(productUrl(config, name))),
  );
  return { ...canvas, ...ticker, ...environment };
}

function tickerScript(config) {
  return productUrl(config, "ticker_worker.js");
}

function productUrl(config, name) {
  return new URL(`../js/${name}`, new URL(config.python.runner_url, location.href)).href;
}
