import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import {
  EnvironmentError,
  GraceError,
  PythonLostError,
  WorkerFailedError,
} from "../../static/js/errors.js";
import { WorkerPython } from "../../static/js/worker_python.js";
import { FakeLocks, FakeWorker } from "./fakes/fake_worker.js";
import { ManualTime, settled } from "./fakes/manual_time.js";

const ENVIRONMENT = { url: "/static/0123/match/environment.py", config: {} };
const FACTS = { runtime: "worker", snapshot: "restored" };

describe("WorkerPython", () => {
  /** @type {ManualTime} */ let time;
  /** @type {FakeWorker[]} */ let workers;
  /** @type {FakeLocks} */ let locks;
  /** @type {WorkerPython} */ let python;
  /** @type {unknown[]} */ let heard;
  /** @type {any[]} what the worker said before anybody listened */ let missed;

  const watcher = {
    onStage: async (/** @type {string} */ stage) => void heard.push(stage),
    onProgress: (/** @type {unknown} */ progress) => void heard.push(progress),
  };

  function startWorker() {
    const worker = new FakeWorker();
    workers.push(worker);
    return { worker, lock: "grace-python-1", missed };
  }

  /** Load it, with what the worker says. */
  async function load() {
    const loaded = python.load(ENVIRONMENT, watcher);
    workers.at(-1)?.say({ started: true });
    workers.at(-1)?.answer("load", { value: FACTS });
    return loaded;
  }

  beforeEach(() => {
    time = new ManualTime();
    workers = [];
    locks = new FakeLocks();
    heard = [];
    missed = [];
    python = new WorkerPython({ startWorker, locks, time });
  });

  it("lets the worker begin with what there is", () => {
    python.prepare(ENVIRONMENT);
    assert.deepEqual(workers[0].messages, [{ id: 1, call: "prepare", args: [ENVIRONMENT] }]);
  });

  it("hears what the worker said before", async () => {
    missed = [{ started: true }, { id: 0, value: undefined }];
    python.prepare(ENVIRONMENT);
    await time.advance(20_000);
    locks.release();
    missed = [{ failure: "its script could not be loaded" }];
    await assert.rejects(python.load(ENVIRONMENT, watcher), /script could not be loaded/);
  });

  it("loads in the worker that was prepared, and passes on how far it is", async () => {
    python.prepare(ENVIRONMENT);
    const loaded = python.load(ENVIRONMENT, watcher);
    workers[0].say({ started: true });
    workers[0].say({ progress: { received_bytes: 1, total_bytes: 2 } });
    workers[0].say({ stage: "packages" });
    assert.equal(python.loaded, false);
    workers[0].answer("load", { value: FACTS });
    assert.deepEqual(await loaded, FACTS);
    assert.equal(python.loaded, true);
    assert.deepEqual(heard, [{ received_bytes: 1, total_bytes: 2 }, "packages"]);
    assert.equal(workers.length, 1);
  });

  it("gives each call its own answer, in whatever order they come", async () => {
    await load();
    const step = python.step([0, 4]);
    const hash = python.stateHash();
    workers[0].answer("stateHash", { value: "abc" });
    workers[0].answer("step", { value: true });
    assert.equal(await step, true);
    assert.equal(await hash, "abc");
  });

  it("raises what the worker raised, as what it was", async () => {
    await load();
    for (const [name, type] of /** @type {const} */ ([
      ["EnvironmentError", EnvironmentError],
      ["GraceError", GraceError],
      ["RangeError", Error],
    ])) {
      const step = python.step([0, 0]);
      workers[0].answer("step", { error: { name, message: "why" } });
      await assert.rejects(step, (error) => {
        assert.ok(error instanceof type);
        assert.deepEqual([error.name, error.message], [name, "why"]);
        return true;
      });
    }
  });

  it("cannot be started where there are no workers", async () => {
    python = new WorkerPython({
      startWorker: () => {
        throw new DOMException("blocked", "SecurityError");
      },
      time,
    });
    await assert.rejects(python.load(ENVIRONMENT, watcher), {
      name: WorkerFailedError.name,
      message: /could not be started: .*blocked/,
    });
  });

  it("cannot be started when its script does not arrive", async () => {
    const loaded = python.load(ENVIRONMENT, watcher);
    workers[0].onerror?.({});
    await assert.rejects(loaded, WorkerFailedError);
    assert.equal(workers[0].terminated, true);
  });

  it("is given up when it does not start in 20 s", async () => {
    const loaded = python.load(ENVIRONMENT, watcher);
    const refused = assert.rejects(loaded, /did not start in time/);
    await time.advance(21_000);
    await refused;
  });

  it("fails the load, and not the game, when it ends while it loads", async () => {
    const loaded = python.load(ENVIRONMENT, watcher);
    workers[0].say({ started: true });
    locks.release();
    await assert.rejects(loaded, WorkerFailedError);
  });

  it("is lost with all that it was asked when it ends without a word", async () => {
    await load();
    const calls = [python.step([0, 0]), python.render()];
    locks.release();
    for (const call of calls) {
      await assert.rejects(call, PythonLostError);
    }
    assert.equal(python.loaded, false);
    await assert.rejects(python.step([0, 0]), PythonLostError);
  });

  it("is lost when a call is not answered in 30 s, as where there are no locks", async () => {
    python = new WorkerPython({ startWorker, time });
    await load();
    const refused = assert.rejects(python.step([0, 0]), PythonLostError);
    await time.advance(30_999);
    assert.equal(workers[0].terminated, false);
    await time.advance(1);
    await refused;
    assert.equal(workers[0].terminated, true);
  });

  it("is loaded anew in another worker once it was lost", async () => {
    await load();
    locks.release();
    await load();
    assert.equal(workers.length, 2);
    assert.equal(python.loaded, true);
  });

  it("is not lost for an answer that was in time", async () => {
    await load();
    const step = python.step([0, 0]);
    workers[0].answer("step", { value: false });
    await step;
    await time.advance(200_000);
    assert.equal(python.loaded, true);
  });

  it("cannot step what was not loaded, and ends when it is terminated", async () => {
    await assert.rejects(python.step([0, 0]), GraceError);
    await load();
    python.terminate();
    await settled();
    assert.equal(workers[0].terminated, true);
    assert.equal(python.loaded, false);
  });

  it("is not lost for an answer that came while the page was blocked", async () => {
    await load();
    const step = python.step([0, 0]);
    time.freeze(45_000);
    await time.advance(0);
    workers[0].answer("step", { value: true });
    assert.equal(await step, true);
    await time.advance(60_000);
    assert.equal(python.loaded, true);
  });

  it("is not given up for a preparation that waits behind a long load", async () => {
    python.prepare(ENVIRONMENT);
    workers[0].say({ started: true });
    await time.advance(60_000);
    assert.equal(workers[0].terminated, false);
  });

  it("is not given up while a load tells of progress", async () => {
    const loaded = python.load(ENVIRONMENT, watcher);
    for (let minute = 0; minute < 6; minute += 1) {
      workers[0].say({ progress: { received_bytes: minute, total_bytes: 9 } });
      await time.advance(60_000);
    }
    workers[0].answer("load", { value: FACTS });
    assert.deepEqual(await loaded, FACTS);
  });
});
