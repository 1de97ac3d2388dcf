import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { EnvironmentError, GraceError } from "../../static/js/errors.js";
import { PythonHost } from "../../static/js/python_host.js";
import { CONFIG, FakeFiles, FakeStore } from "./fakes/fake_downloads.js";
import { ManualTime, settled } from "./fakes/manual_time.js";

const ENVIRONMENT = { url: "/static/ffff/match/environment.py", config: { points_to_win: 5 } };

describe("PythonHost", () => {
  /** @type {FakeFiles} */ let files;
  /** @type {string[]} */ let stages;
  /** @type {number[]} bytes received */ let received;

  const watcher = {
    onStage: async (/** @type {string} */ stage) => void stages.push(stage),
    onProgress: (/** @type {{received_bytes: number}} */ progress) =>
      void received.push(progress.received_bytes),
  };

  /**
   * @param {"main" | "worker"} [where]
   * @param {Partial<import("../../static/js/python.js").PythonConfig>} [changes]
   * @param {Pick<import("../../static/js/python_host.js").HostParts, "restoring">} [parts]
   */
  function make(where = "main", changes = {}, parts = {}) {
    return new PythonHost(where, {
      config: { ...CONFIG, ...changes },
      importModule: files.importModule,
      fetch: files.fetch,
      time: new ManualTime(),
      global: files.global,
      store: new FakeStore(),
      ...parts,
    });
  }

  beforeEach(() => {
    files = new FakeFiles();
    stages = [];
    received = [];
  });

  it("loads in named stages, and what is there only once", async () => {
    const python = make();
    assert.equal(python.loaded, false);
    const facts = await python.load(ENVIRONMENT, watcher);
    assert.deepEqual(facts, { runtime: "main", snapshot: "none" });
    assert.deepEqual(stages, ["packages", "environment"]);
    assert.equal(received.at(-1), 8);
    assert.equal(python.loaded, true);
    const first = files.asked.length;
    await python.load(ENVIRONMENT, watcher);
    assert.equal(files.asked.length, first);
  });

  it("begins before it is asked to load in a worker, and not where that would block", async () => {
    make("main").prepare(ENVIRONMENT);
    assert.equal(files.asked.length, 0);
    const python = make("worker");
    python.prepare(ENVIRONMENT);
    await settled();
    assert.equal(files.starts.length, 1);
    assert.equal(files.asked.includes(ENVIRONMENT.url), true);
    await python.load(ENVIRONMENT, watcher);
    assert.equal(files.starts.length, 1);
  });

  it("tries again after a start that failed before it was asked to load", async () => {
    files.missing.add(`${CONFIG.pyodide_url}pyodide.asm.wasm`);
    const python = make("worker");
    python.prepare(ENVIRONMENT);
    await settled();
    files.missing.clear();
    await python.load(ENVIRONMENT, watcher);
    assert.equal(python.loaded, true);
  });

  it("tells nothing of an attempt that has failed in the next one", async () => {
    const python = make();
    /** @type {(response: Response) => void} */ let arrive = () => {};
    const { fetch } = files;
    const wasm = `${CONFIG.pyodide_url}pyodide.asm.wasm`;
    files.fetch = (url) =>
      url === wasm
        ? new Promise((resolve) => {
            arrive = resolve;
          })
        : fetch(url);
    files.missing.add(`${CONFIG.pyodide_url}python_stdlib.zip`);
    await assert.rejects(python.load(ENVIRONMENT, watcher), /python_stdlib.zip could not be/);
    received = [];
    arrive(new Response("file"));
    await settled();
    assert.deepEqual(received, []);
  });

  it("keeps what was loaded when a later stage fails", async () => {
    const python = make();
    files.missing.add(CONFIG.runner_url);
    await assert.rejects(python.load(ENVIRONMENT, watcher), GraceError);
    files.missing.clear();
    await python.load(ENVIRONMENT, watcher);
    assert.equal(files.starts.length, 1);
  });

  it("makes anew what a snapshot has in common for everybody, once, and only after one", async () => {
    const snapshot = { url: "/static/cccc/study.pack", bytes: 4, header_bytes: 16 };
    await make().load(ENVIRONMENT, watcher);
    assert.equal(files.interpreter.restored, 0);
    const restoring = () => ({
      options: /** @type {any} */ ({ _loadSnapshot: "snapshot" }),
      files: Promise.resolve(/** @type {[string, number][]} */ ([])),
    });
    const python = make("worker", { snapshot }, { restoring });
    const facts = await python.load(ENVIRONMENT, watcher);
    assert.equal(facts.snapshot, "restored");
    await python.load(ENVIRONMENT, watcher);
    assert.equal(files.interpreter.restored, 1);
  });

  it("fetches an environment again that could not be fetched", async () => {
    const python = make();
    files.missing.add(ENVIRONMENT.url);
    await assert.rejects(python.load(ENVIRONMENT, watcher), /HTTP 404/);
    files.missing.clear();
    await python.load(ENVIRONMENT, watcher);
    assert.equal(files.interpreter.made.length, 1);
  });

  it("leaves an environment that cannot be made to the game", async () => {
    const python = make();
    const failure = Object.assign(new Error("a longer traceback"), { name: "PythonError" });
    files.interpreter.makeFailure = failure;
    await python.load(ENVIRONMENT, watcher);
    await assert.rejects(python.reset(ENVIRONMENT, 7), EnvironmentError);
  });

  it("fails to load when it is not the environment's fault", async () => {
    const python = make();
    files.interpreter.makeFailure = new RangeError("Maximum call stack size exceeded");
    await assert.rejects(python.load(ENVIRONMENT, watcher), RangeError);
  });

  it("loads packages by name and by address, once", async () => {
    const wheels = ["/static/ffff/a.whl"];
    const distribution = { url: "/static/eeee/", packages: ["numpy"] };
    const python = make("worker", { wheels, distribution });
    await python.load(ENVIRONMENT, watcher);
    await python.load(ENVIRONMENT, watcher);
    assert.deepEqual(files.interpreter.packages, ["numpy", "/static/ffff/a.whl"]);
  });

  for (const name of ["numpy", "/static/ffff/a.whl"]) {
    it(`fails to load when ${name} cannot be, and tries it again`, async () => {
      const wheels = ["/static/ffff/a.whl"];
      const distribution = { url: "/static/eeee/", packages: ["numpy"] };
      const python = make("worker", { wheels, distribution });
      files.interpreter.missingPackages.add(name);
      await assert.rejects(python.load(ENVIRONMENT, watcher), (error) => {
        assert.ok(error instanceof GraceError);
        assert.ok(error.message.includes(name));
        return true;
      });
      files.interpreter.missingPackages.clear();
      await python.load(ENVIRONMENT, watcher);
      assert.equal(python.loaded, true);
    });
  }

  it("cannot step what was not loaded", async () => {
    await assert.rejects(make().step([0, 0]), GraceError);
  });
});
