/** What our page does, with its own modules, as `index.js` joins them; without a connection. */

const config = JSON.parse(document.getElementById("grace-config").textContent);
const { runtime, runner_url } = config.python;
const environment = config.first_environment;
const modules = new URL("../js/", new URL(runner_url, location.href)).href;
// As `start.js` does, before anything else.
const { startEarly, takeWorker } = await import(`${modules}python_worker_start.js`);
if (runtime === "worker") {
  startEarly(config.python, environment);
}
const [{ browserTime, nextPaint }, { PythonHost }, { WorkerPython }, { SnapshotStore }] =
  await Promise.all(
    ["environment.js", "python_host.js", "worker_python.js", "snapshot_store.js"].map(
      (name) => import(modules + name),
    ),
  );

const ours = runtime === "worker" ? inWorker() : onMainThread();
ours.prepare(environment);
await nextPaint();
const facts = await ours.load(environment, { onStage: nextPaint, onProgress: () => {} });
await ours.reset(environment, 1);
performance.mark("ready");

const python = {
  step: (actions) => ours.step(actions),
  render: () => ours.render(),
  reset: (seed) => ours.reset(environment, seed),
};
const { goOn } = await import("./play.js");
await goOn(python, { config, facts, store: new SnapshotStore(navigator.storage) });

function onMainThread() {
  return new PythonHost("main", {
    config: config.python,
    importModule: (url) => import(url),
    fetch: (url) => fetch(url),
    time: browserTime,
    global: window,
    store: new SnapshotStore(navigator.storage),
  });
}

function inWorker() {
  return new WorkerPython({
    startWorker: () => takeWorker(config.python),
    locks: navigator.locks,
    time: browserTime,
  });
}
