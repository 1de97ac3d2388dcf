import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { EnvironmentError, GraceError } from "../../static/js/errors.js";
import { MainThreadPython } from "../../static/js/pyodide_loader.js";
import { ManualTime } from "./fakes/manual_time.js";

const FOLDER = "/static/vendor/pyodide/";
const RUNNER = "/static/py/grace_runner.py";
const ENVIRONMENT = { url: "/study/match/environment.py", config: { points_to_win: 5 } };

describe("MainThreadPython", () => {
  /** @type {string[]} addresses asked for */ let asked;
  /** @type {Set<string>} addresses that are not there */ let missing;
  /** @type {unknown[][]} what runners were made of */ let made;
  /** @type {Error | null} what the next step raises */ let failure;
  /** @type {Error | null} what making a runner raises */ let fault;
  /** @type {boolean} */ let starts;
  /** @type {ManualTime} */ let time;
  /** @type {MainThreadPython} */ let python;
  /** @type {string[]} */ let stages;

  const onStage = async (/** @type {string} */ stage) => void stages.push(stage);

  function makeRunner(/** @type {unknown[]} */ ...parts) {
    made.push(parts);
    if (fault) {
      throw fault;
    }
    return {
      frame: 0,
      reset() {
        this.frame = 0;
      },
      step() {
        if (failure) {
          throw failure;
        }
        this.frame += 1;
        return false;
      },
      replay(/** @type {string} */ frames) {
        this.frame += Math.min(3, JSON.parse(frames).length);
        return true;
      },
      render_json: () => '[{"shape":"rect"}]',
      state_hash: () => "abc",
      result_json: () => '{"frames":3}',
      destroy: () => {},
    };
  }

  const pyodide = {
    FS: { writeFile: () => {} },
    pyimport: (/** @type {string} */ name) =>
      name === "sys"
        ? { last_exc: { destroy: () => {} }, destroy: () => {} }
        : { Runner: makeRunner, format_traceback: () => "Traceback ...\nValueError: no" },
  };

  beforeEach(() => {
    asked = [];
    missing = new Set();
    made = [];
    failure = null;
    fault = null;
    starts = true;
    stages = [];
    time = new ManualTime();
    const find = (/** @type {string} */ url) => {
      asked.push(url);
      return !missing.has(url);
    };
    python = new MainThreadPython({
      pyodide_url: FOLDER,
      runner_url: RUNNER,
      importModule: async (url) => {
        if (!find(url)) {
          throw new TypeError("Failed to fetch dynamically imported module");
        }
        const loadPyodide = () => (starts ? Promise.resolve(pyodide) : new Promise(() => {}));
        return { loadPyodide, default: {} };
      },
      fetch: async (url) => new Response("source", { status: find(url) ? 200 : 404 }),
      time,
    });
  });

  it("loads in named stages, and what is there only once", async () => {
    await python.load(ENVIRONMENT, onStage);
    assert.deepEqual(stages, ["packages", "environment"]);
    const first = asked.length;
    await python.load(ENVIRONMENT, onStage);
    assert.equal(asked.length, first);
  });

  for (const name of ["pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"]) {
    it(`names ${name} when it is missing`, async () => {
      missing.add(FOLDER + name);
      await assert.rejects(python.load(ENVIRONMENT, onStage), {
        message: `${FOLDER}${name} could not be fetched: HTTP 404`,
      });
    });
  }

  it("asks for the modules under another address when it tries again", async () => {
    missing.add(`${FOLDER}pyodide.mjs`);
    await assert.rejects(python.load(ENVIRONMENT, onStage));
    await python.load(ENVIRONMENT, onStage);
    assert.equal(asked.includes(`${FOLDER}pyodide.mjs?attempt=2`), true);
  });

  it("keeps what was loaded when a later stage fails", async () => {
    missing.add(RUNNER);
    await assert.rejects(python.load(ENVIRONMENT, onStage), GraceError);
    const modules = asked.filter((url) => url.includes(".mjs")).length;
    missing.clear();
    await python.load(ENVIRONMENT, onStage);
    assert.equal(asked.filter((url) => url.includes(".mjs")).length, modules);
  });

  it("gives up a Pyodide that never starts", async () => {
    starts = false;
    const load = python.load(ENVIRONMENT, onStage);
    const refused = assert.rejects(load, /has not started within 120 s/);
    await time.advance(120_000);
    await refused;
  });

  it("only fetches an environment whose configuration is not known yet", async () => {
    await python.load({ ...ENVIRONMENT, config: null }, onStage);
    assert.equal(asked.includes(ENVIRONMENT.url), true);
    assert.deepEqual(made, []);
    await python.reset(ENVIRONMENT, 7);
    assert.deepEqual(made, [["source", "match/environment.py", '{"points_to_win":5}']]);
  });

  it("leaves an environment that cannot be made to the game", async () => {
    fault = Object.assign(new Error("a longer traceback"), { name: "PythonError" });
    await python.load(ENVIRONMENT, onStage);
    const expected = new EnvironmentError("Traceback ...\nValueError: no");
    await assert.rejects(python.reset(ENVIRONMENT, 7), expected);
  });

  it("fails to load when it is not the environment's fault", async () => {
    fault = new RangeError("Maximum call stack size exceeded");
    await assert.rejects(python.load(ENVIRONMENT, onStage), RangeError);
  });

  it("gives every game an environment of its own, and fetches its source once", async () => {
    await python.load(ENVIRONMENT, onStage);
    await python.reset(ENVIRONMENT, 7);
    assert.equal(made.length, 1);
    await python.reset(ENVIRONMENT, 8);
    assert.equal(made.length, 2);
    assert.equal(asked.filter((url) => url === ENVIRONMENT.url).length, 1);
  });

  it("passes actions in and results out as JSON", async () => {
    await python.load(ENVIRONMENT, onStage);
    await python.reset(ENVIRONMENT, 7);
    assert.equal(await python.step([0, 4]), false);
    assert.deepEqual(await python.replay([[0, 0]]), { applied: 1, over: true });
    assert.deepEqual(await python.render(), [{ shape: "rect" }]);
    assert.deepEqual(await python.result(), { frames: 3 });
    assert.equal(await python.stateHash(), "abc");
  });

  it("tells how many steps of a replay were applied when the episode ended in it", async () => {
    await python.load(ENVIRONMENT, onStage);
    await python.reset(ENVIRONMENT, 7);
    const steps = Array.from({ length: 9 }, () => [0, 0]);
    assert.deepEqual(await python.replay(steps), { applied: 3, over: true });
  });

  it("raises the traceback as the environment's author should see it", async () => {
    await python.load(ENVIRONMENT, onStage);
    await python.reset(ENVIRONMENT, 7);
    failure = Object.assign(new Error("a longer traceback"), { name: "PythonError" });
    const expected = new EnvironmentError("Traceback ...\nValueError: no");
    await assert.rejects(python.step([0, 0]), expected);
  });

  it("cannot step what was not loaded", async () => {
    await assert.rejects(python.step([0, 0]), GraceError);
  });
});
