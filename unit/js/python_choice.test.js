import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { GraceError, WorkerFailedError } from "../../static/js/errors.js";
import { PythonChoice } from "../../static/js/python_choice.js";
import { FakePython } from "./fakes/fake_python.js";

const ENVIRONMENT = { url: "/static/0123/match/environment.py", config: {} };

describe("PythonChoice", () => {
  /** @type {FakePython} */ let worker;
  /** @type {FakePython} */ let main;
  /** @type {PythonChoice} */ let python;
  /** @type {string[]} */ let stages;

  const watcher = {
    onStage: async (/** @type {string} */ stage) => void stages.push(`${python.where} ${stage}`),
    onProgress: () => {},
  };

  beforeEach(() => {
    worker = new FakePython();
    worker.where = "worker";
    main = new FakePython();
    python = new PythonChoice(worker, () => main);
    stages = [];
  });

  it("uses the worker where there is one", async () => {
    python.prepare(ENVIRONMENT);
    const facts = await python.load(ENVIRONMENT, watcher);
    assert.deepEqual(facts, { runtime: "worker", snapshot: "none" });
    await python.reset(ENVIRONMENT, 7);
    await python.step([1, 2]);
    assert.deepEqual(worker.applied, [[1, 2]]);
    assert.deepEqual(worker.prepared, [ENVIRONMENT]);
    assert.deepEqual(main.loads, []);
  });

  it("falls back to the main thread when the worker cannot start, and says why", async () => {
    worker.failure = new WorkerFailedError("no worker");
    worker.onStageDone = () => {
      throw worker.failure;
    };
    const facts = await python.load(ENVIRONMENT, watcher);
    assert.deepEqual(facts, { runtime: "main", snapshot: "none", worker_error: "no worker" });
    assert.equal(python.where, "main");
    // The page is painted before it may be blocked.
    assert.equal(stages[0], "main runtime");
    await python.reset(ENVIRONMENT, 7);
    await python.step([1, 2]);
    assert.deepEqual(main.applied, [[1, 2]]);
  });

  it("stays on the main thread, and goes on saying why", async () => {
    worker.failure = new WorkerFailedError("no worker");
    await python.load(ENVIRONMENT, watcher);
    const facts = await python.load(ENVIRONMENT, watcher);
    assert.equal(facts.worker_error, "no worker");
    assert.equal(worker.loads.length, 1);
    assert.equal(main.loads.length, 2);
  });

  it("does not fall back for what would fail there too", async () => {
    worker.failure = new GraceError("a file could not be fetched");
    await assert.rejects(python.load(ENVIRONMENT, watcher), GraceError);
    assert.equal(python.where, "worker");
  });

  it("does not fall back when the session ended meanwhile", async () => {
    worker.failure = new WorkerFailedError("it was terminated");
    worker.onStageDone = () => python.terminate();
    await assert.rejects(python.load(ENVIRONMENT, watcher), WorkerFailedError);
    assert.deepEqual(main.loads, []);
  });

  it("loads nothing any more once the session is over", async () => {
    python.terminate();
    await assert.rejects(python.load(ENVIRONMENT, watcher), WorkerFailedError);
    assert.deepEqual(worker.loads, []);
  });
});
