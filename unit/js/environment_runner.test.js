import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { EnvironmentRunner } from "../../static/js/environment_runner.js";
import { EnvironmentError, GraceError } from "../../static/js/errors.js";
import { FakeInterpreter } from "./fakes/fake_interpreter.js";

const ENVIRONMENT = { url: "/static/0123/match/environment.py", config: { points_to_win: 5 } };

describe("EnvironmentRunner", () => {
  /** @type {FakeInterpreter} */ let interpreter;
  /** @type {EnvironmentRunner} */ let runner;

  beforeEach(() => {
    interpreter = new FakeInterpreter();
    runner = new EnvironmentRunner(interpreter, interpreter.runnerModule);
  });

  it("names the file in tracebacks by its scene", () => {
    runner.make(ENVIRONMENT, "source");
    assert.deepEqual(interpreter.made, [["source", "match/environment.py", '{"points_to_win":5}']]);
  });

  it("uses a fresh environment for the first game, and makes one for every other", () => {
    runner.make(ENVIRONMENT, "source");
    runner.reset(ENVIRONMENT, "source", 7);
    assert.equal(interpreter.made.length, 1);
    runner.reset(ENVIRONMENT, "source", 8);
    assert.equal(interpreter.made.length, 2);
    assert.equal(interpreter.destroyed, 1);
  });

  it("makes another environment when another is played", () => {
    runner.make(ENVIRONMENT, "source");
    runner.reset({ ...ENVIRONMENT, config: { points_to_win: 6 } }, "source", 7);
    assert.deepEqual(interpreter.made.at(-1), [
      "source",
      "match/environment.py",
      '{"points_to_win":6}',
    ]);
  });

  it("passes actions in and results out as JSON", () => {
    runner.reset(ENVIRONMENT, "source", 7);
    assert.equal(runner.step([0, 4]), false);
    assert.deepEqual(runner.replay([[0, 0]]), { applied: 1, over: true });
    assert.equal(runner.render(), '[{"shape":"rect"}]');
    assert.deepEqual(runner.result(), { frames: 3 });
    assert.equal(runner.stateHash(), "abc");
  });

  it("tells how many steps of a replay were applied when the episode ended in it", () => {
    runner.reset(ENVIRONMENT, "source", 7);
    const steps = Array.from({ length: 9 }, () => [0, 0]);
    assert.deepEqual(runner.replay(steps), { applied: 3, over: true });
  });

  it("raises the traceback as the environment's author should see it", () => {
    runner.reset(ENVIRONMENT, "source", 7);
    interpreter.stepFailure = Object.assign(new Error("a longer one"), { name: "PythonError" });
    const expected = new EnvironmentError("Traceback ...\nValueError: no");
    assert.throws(() => runner.step([0, 0]), expected);
  });

  it("raises what is not the environment's fault as it is", () => {
    interpreter.makeFailure = new RangeError("Maximum call stack size exceeded");
    assert.throws(() => runner.make(ENVIRONMENT, "source"), RangeError);
  });

  it("cannot step what was not reset", () => {
    assert.throws(() => runner.step([0, 0]), GraceError);
  });
});
