/** Joins the parts of the page, with the browser's own environment, and starts it. */

import { io } from "../vendor/socket.io/socket.io.esm.min.js";
import { BlockWatch } from "./block_watch.js";
import { Connection } from "./connection.js";
import { browserTime, newId, nextPaint, nextTask, tabStorage } from "./environment.js";
import { GraceError } from "./errors.js";
import { EventLog } from "./event_log.js";
import { FrameWatch } from "./frame_watch.js";
import { GameSceneController } from "./game_scene.js";
import { GameSceneView } from "./game_view.js";
import { Keyboard } from "./keyboard.js";
import { LiveTexts } from "./live_text.js";
import { Loading } from "./loading.js";
import { PageState } from "./page_state.js";
import { PageView } from "./page_view.js";
import { RemoteGame } from "./pyodide_remote_game.js";
import { PythonChoice } from "./python_choice.js";
import { PythonHost } from "./python_host.js";
import { takeWorker } from "./python_worker_start.js";
import { SceneFlow } from "./scene_flow.js";
import { SessionStore } from "./session_store.js";
import { SnapshotStore } from "./snapshot_store.js";
import { Ticker } from "./ticker.js";
import { WorkerPython } from "./worker_python.js";

/**
 * @import { GamePhase } from "./page_state.js"
 * @import { GameScene, LoadingPath, MatchedGame } from "./protocol.js"
 * @import { EnvironmentSource, PythonConfig } from "./python.js"
 * @import { ShownGame } from "./scene_flow.js"
 */

/**
 * @typedef {object} PageConfig what the server writes into the page
 * @property {{id: string, title: string}} study
 * @property {string | null} participant a label
 * @property {boolean} preload
 * @property {PythonConfig} python
 * @property {EnvironmentSource | null} first_environment what the study's first game needs
 */

/** @type {PageConfig} */
const config = JSON.parse(byId("grace-config").textContent);
const time = browserTime;
const log = new EventLog(time);
const state = new PageState(document.documentElement);
const live = new LiveTexts(time);
const store = new SessionStore(tabStorage(), config.study.id, config.participant);
const page_id = newId();
const observers = {
  PerformanceObserver: window.PerformanceObserver,
  timeOrigin: performance.timeOrigin,
  isHidden: () => document.hidden,
};
const blocks = new BlockWatch({ time, log, observers });

const frames = new FrameWatch({
  requestAnimationFrame: (callback) => requestAnimationFrame(callback),
  cancelAnimationFrame: (handle) => cancelAnimationFrame(handle),
  isHidden: () => document.hidden,
});

const python = config.python.runtime === "worker" ? pythonInWorker() : pythonOnMainThread();
if (config.preload && config.first_environment !== null) {
  python.prepare(config.first_environment);
}

const connection = new Connection({
  openSocket: (options) => io(options),
  auth: () => ({
    page_id,
    token: store.token ?? undefined,
    study: config.study.id,
    participant: config.participant ?? undefined,
    last_frame: flow.frame,
    runtime: loading.restated(),
  }),
  time,
  random: Math.random,
  log,
  isLoading: () => loading.mayBlock,
  onStatus: (status, code) => {
    if (connection.ended) {
      python.terminate(); // Nobody will play here any more.
    }
    flow.linkChanged(status, code);
  },
});

const loading = new Loading({
  python,
  connection,
  log,
  blocks,
  frames,
  time,
  newId,
  nextPaint,
  onChange: (change) => {
    state.announce({ runtime: change.state });
    flow.loadingChanged(change);
  },
  onEnded: () => connection.loadEnded(),
});

const view = new PageView({
  shell: {
    main: byId("scene"),
    banner: byId("banner"),
    leave: /** @type {HTMLButtonElement} */ (byId("leave")),
    leaveDialog: /** @type {HTMLDialogElement} */ (byId("leave-dialog")),
  },
  time,
  live,
  onLeave: () => flow.leave(),
});

const flow = new SceneFlow({
  connection,
  store,
  view,
  announce: (changes) => state.announce(changes),
  makeGameScene,
  preload: () => preloadPyodide(),
  retry: () => load(config.first_environment),
  reload: () => location.reload(),
});

/**
 * Load Python early, while the participant reads or waits, so that a matched game can begin at
 * once. It does nothing where that is switched off, or once a load has begun.
 * @param {EnvironmentSource | null} [environment] the one that will be
 *   played; without it the study's first
 */
export function preloadPyodide(environment = config.first_environment) {
  if (config.preload && environment !== null && loading.state === "cold") {
    load(environment);
  }
}

/**
 * @param {EnvironmentSource | null} environment
 * @param {LoadingPath} [path]
 */
async function load(environment, path = config.preload ? "preload" : "fallback") {
  if (environment === null) {
    return;
  }
  try {
    await loading.load(path, environment);
  } catch (error) {
    if (!(error instanceof GraceError)) {
      throw error;
    } // The loading display shows a failure, the page the end of the session.
  }
}

/**
 * @param {GameScene} scene
 * @param {() => Promise<void>} onContinue
 * @returns {ShownGame}
 */
function makeGameScene(scene, onContinue) {
  const keyboard = new Keyboard(window, scene.controls);
  const environment = { url: scene.environment_url, config: scene.config };
  const sceneView = new GameSceneView({
    scene,
    time,
    live,
    keyboard,
    onRetry: () => controller.retry(),
    onContinue,
  });
  const makeGame = (
    /** @type {MatchedGame} */ game,
    /** @type {(phase: GamePhase) => void} */ showPhase,
  ) =>
    new RemoteGame({
      scene,
      game,
      loading,
      python,
      connection,
      ticker: new Ticker({ time, startWorker: startTickWorker }),
      input: keyboard,
      view: {
        isSeen: () => !document.hidden,
        draw: (shapes) => sceneView.draw(shapes),
        showFrame: (frame) => sceneView.showFrame(frame),
        showPhase,
      },
      log,
      nextTask,
    });
  const controller = new GameSceneController({
    connection,
    time,
    view: sceneView,
    announce: (changes) => state.announce(changes),
    preload: () => preloadPyodide(environment),
    fallBack: () => load(environment, "fallback"),
    retry: () => load(environment),
    makeGame,
  });
  return { controller, element: sceneView.element };
}

function pythonOnMainThread() {
  return new PythonHost("main", {
    config: config.python,
    importModule: (url) => import(url),
    fetch: (url) => fetch(url),
    time,
    global: window,
    store: new SnapshotStore(navigator.storage),
  });
}

function pythonInWorker() {
  const worker = new WorkerPython({
    startWorker: () => takeWorker(config.python),
    locks: navigator.locks,
    time,
  });
  return new PythonChoice(worker, pythonOnMainThread);
}

function startTickWorker() {
  return new Worker(new URL("./ticker_worker.js", import.meta.url), { type: "module" });
}

/** @param {string} id of an element in the page's template */
function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

Object.assign(window, { grace: Object.freeze({ eventLog: log }) });
blocks.start();
window.addEventListener("online", () => connection.hurry());
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) {
    connection.hurry();
  }
});
connection.start();
