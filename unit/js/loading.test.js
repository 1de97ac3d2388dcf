import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  GraceError,
  LoadingFailedError,
  RefusedError,
  SessionOverError,
} from "../../static/js/errors.js";
import { EventLog } from "../../static/js/event_log.js";
import { Loading } from "../../static/js/loading.js";
import { FakeConnection } from "./fakes/fake_connection.js";
import { FakePython } from "./fakes/fake_python.js";
import { ManualTime, settled } from "./fakes/manual_time.js";

const ENVIRONMENT = { url: "/study/match/environment.py", config: {} };

function setUp() {
  const time = new ManualTime();
  const log = new EventLog(time);
  const connection = new FakeConnection();
  const python = new FakePython();
  /** @type {string[]} */ const states = [];
  /** @type {boolean[]} */ const ends = [];
  let ids = 0;
  const loading = new Loading({
    python,
    connection,
    log,
    blocks: { settle: async () => {} },
    frames: { start: () => {}, stop: () => 17 },
    time,
    newId: () => {
      ids += 1;
      return `attempt-${ids}`;
    },
    nextPaint: async () => {},
    onChange: ({ state, stage }) => void states.push(stage ? `${state} ${stage}` : state),
    onEnded: () => void ends.push(loading.mayBlock),
  });
  return { time, log, connection, python, states, ends, loading };
}

describe("Loading", () => {
  it("says that it begins, and waits for the answer before it loads", async () => {
    const { connection, python, loading } = setUp();
    loading.load("preload", ENVIRONMENT);
    await settled();
    const { event, payload } = connection.said[0];
    assert.equal(event, "pyodide_loading_start");
    assert.deepEqual(payload, { attempt_id: "attempt-1", path: "preload", runtime: "main" });
    assert.deepEqual(python.loads, []);
    connection.acknowledge("pyodide_loading_start");
    await settled();
    assert.deepEqual(python.loads, [ENVIRONMENT]);
  });

  it("goes on after a second when the answer is lost", async () => {
    const { time, connection, python, loading } = setUp();
    loading.load("preload", ENVIRONMENT);
    await time.advance(999);
    assert.deepEqual(python.loads, []);
    await time.advance(1);
    assert.deepEqual(python.loads, [ENVIRONMENT]);
    assert.equal(connection.latest("pyodide_loading_start").options.signal?.aborted, true);
  });

  it("waits for a lost connection before it says that it begins", async () => {
    const { time, connection, python, loading } = setUp();
    connection.lose();
    loading.load("preload", ENVIRONMENT);
    await time.advance(4_000);
    assert.deepEqual(python.loads, []);
    connection.reopen();
    await time.advance(999);
    assert.deepEqual(python.loads, []);
    connection.acknowledge("pyodide_loading_start");
    await settled();
    assert.deepEqual(python.loads, [ENVIRONMENT]);
  });

  it("goes on when the connection does not come back", async () => {
    const { time, connection, python, loading } = setUp();
    connection.lose();
    loading.load("preload", ENVIRONMENT);
    await time.advance(10_999);
    assert.deepEqual(python.loads, []);
    await time.advance(1);
    assert.deepEqual(python.loads, [ENVIRONMENT]);
  });

  it("goes on when the start is refused", async () => {
    const { connection, python, loading } = setUp();
    loading.load("preload", ENVIRONMENT);
    const error = { code: "invalid_message", message: "what?" };
    connection.latest("pyodide_loading_start").reject(new RefusedError(error));
    await settled();
    assert.equal(python.loads.length, 1);
  });

  it("announces each stage without waiting, then the end with a report", async () => {
    const { time, connection, python, loading } = setUp();
    connection.acknowledged.add("pyodide_loading_start");
    python.onStageDone = (stage) =>
      time.freeze({ runtime: 26_000, packages: 300, environment: 40 }[stage]);
    const load = loading.load("preload", ENVIRONMENT);
    await settled();
    assert.deepEqual(connection.events, [
      "pyodide_loading_start",
      "pyodide_loading_progress",
      "pyodide_loading_progress",
      "pyodide_loading_complete",
    ]);
    const { payload } = connection.latest("pyodide_loading_complete");
    assert.equal(payload.attempt_id, "attempt-1");
    assert.equal("error" in payload, false);
    assert.deepEqual(payload.report.stages_ms, {
      runtime: 26_000,
      packages: 300,
      environment: 40,
    });
    assert.equal(payload.report.total_ms, 26_340);
    connection.acknowledge("pyodide_loading_complete");
    await load;
  });

  it("adds up what a stage took that was begun again, as after a worker was lost", async () => {
    const { time, connection, python, loading } = setUp();
    connection.acknowledged.add("pyodide_loading_start");
    python.load = async (_environment, { onStage }) => {
      time.freeze(100);
      await onStage("packages");
      time.freeze(20);
      await onStage("runtime");
      time.freeze(300);
      await onStage("packages");
      time.freeze(4);
      return { runtime: "main", snapshot: "none" };
    };
    loading.load("preload", ENVIRONMENT);
    await settled();
    const { payload } = connection.latest("pyodide_loading_complete");
    assert.deepEqual(payload.report.stages_ms, { runtime: 400, packages: 24 });
  });

  it("is over when the end is acknowledged, and restates the load until then", async () => {
    const { connection, states, loading } = setUp();
    assert.deepEqual(loading.restated(), { state: "cold" });
    connection.acknowledged.add("pyodide_loading_start");
    loading.load("preload", ENVIRONMENT);
    await settled();
    assert.deepEqual(loading.restated(), {
      state: "loading",
      attempt_id: "attempt-1",
      stage: "environment",
    });
    connection.acknowledge("pyodide_loading_complete");
    await settled();
    assert.deepEqual(loading.restated(), { state: "ready" });
    assert.deepEqual(states, [
      "loading runtime",
      "loading runtime", // the first bytes have arrived
      "loading packages",
      "loading environment",
      "ready",
    ]);
  });

  it("may block the page from its beginning until Python is there, and tells when", async () => {
    const { connection, python, ends, loading } = setUp();
    /** @type {boolean[]} */ const during = [];
    python.onStageDone = () => void during.push(loading.mayBlock);
    assert.equal(loading.mayBlock, false);
    const load = loading.load("preload", ENVIRONMENT);
    assert.equal(loading.mayBlock, true);
    connection.acknowledge("pyodide_loading_start");
    await settled();
    assert.deepEqual(during, [true, true, true]);
    // The end is not acknowledged yet, and never would be if the server were lost.
    assert.equal(loading.state, "loading");
    assert.equal(loading.mayBlock, false);
    assert.deepEqual(ends, [false]);
    connection.acknowledge("pyodide_loading_complete");
    await load;
    assert.deepEqual(ends, [false]);
  });

  it("may block the page until it has failed, and tells when", async () => {
    const { connection, python, ends, loading } = setUp();
    connection.acknowledged.add("pyodide_loading_start");
    connection.acknowledged.add("pyodide_loading_complete");
    python.failure = new GraceError("no");
    await assert.rejects(loading.load("preload", ENVIRONMENT), LoadingFailedError);
    assert.equal(loading.mayBlock, false);
    assert.deepEqual(ends, [false]);
    const retry = loading.load("preload", ENVIRONMENT);
    assert.equal(loading.mayBlock, true);
    await retry;
    assert.deepEqual(ends, [false, false]);
  });

  it("loads once, however many ask", async () => {
    const { connection, python, loading } = setUp();
    connection.acknowledged.add("pyodide_loading_start");
    connection.acknowledged.add("pyodide_loading_complete");
    await Promise.all([
      loading.load("preload", ENVIRONMENT),
      loading.load("fallback", ENVIRONMENT),
    ]);
    await loading.load("fallback", ENVIRONMENT);
    assert.equal(python.loads.length, 1);
    assert.deepEqual(
      connection.events.filter((event) => event.endsWith("start")),
      ["pyodide_loading_start"],
    );
  });

  it("says why it failed, and a retry is a new attempt", async () => {
    const { connection, python, loading } = setUp();
    connection.acknowledged.add("pyodide_loading_start");
    connection.acknowledged.add("pyodide_loading_complete");
    python.failure = new GraceError("/static/py/grace_runner.py: HTTP 404");
    await assert.rejects(loading.load("preload", ENVIRONMENT), LoadingFailedError);
    const { payload } = connection.latest("pyodide_loading_complete");
    assert.equal(payload.error, "/static/py/grace_runner.py: HTTP 404");
    assert.deepEqual(loading.restated(), { state: "failed" });

    await loading.load("preload", ENVIRONMENT);
    assert.equal(connection.latest("pyodide_loading_start").payload.attempt_id, "attempt-2");
    assert.deepEqual(loading.restated(), { state: "ready" });
  });

  it("sends the end of a long error, which says what went wrong", async () => {
    const { connection, python, loading } = setUp();
    connection.acknowledged.add("pyodide_loading_start");
    connection.acknowledged.add("pyodide_loading_complete");
    python.failure = new Error(`${"frame\n".repeat(1_000)}ValueError: no`);
    await assert.rejects(loading.load("preload", ENVIRONMENT), LoadingFailedError);
    const { error } = connection.latest("pyodide_loading_complete").payload;
    assert.equal(error.length, 2_000);
    assert.match(error, /ValueError: no$/);
  });

  it("knows better than a server that refuses the end", async () => {
    const { connection, loading } = setUp();
    connection.acknowledged.add("pyodide_loading_start");
    const load = loading.load("preload", ENVIRONMENT);
    await settled();
    const error = { code: "out_of_turn", message: "no load is under way" };
    connection.latest("pyodide_loading_complete").reject(new RefusedError(error));
    await load;
    assert.equal(loading.state, "ready");
  });

  it("ends with the session", async () => {
    const { connection, loading } = setUp();
    connection.acknowledged.add("pyodide_loading_start");
    const load = loading.load("preload", ENVIRONMENT);
    await settled();
    connection.end();
    await assert.rejects(load, SessionOverError);
  });

  it("may not block a page whose Python is in a worker", async () => {
    const { connection, python, loading } = setUp();
    /** @type {boolean[]} */ const during = [];
    python.where = "worker";
    python.onStageDone = () => void during.push(loading.mayBlock);
    connection.acknowledged.add("pyodide_loading_start");
    loading.load("preload", ENVIRONMENT);
    await settled();
    assert.deepEqual(during, [false, false, false]);
  });

  it("loads again what was lost, as another attempt", async () => {
    const { connection, python, loading } = setUp();
    connection.acknowledged.add("pyodide_loading_start");
    connection.acknowledged.add("pyodide_loading_complete");
    await loading.load("preload", ENVIRONMENT);
    await loading.load("fallback", ENVIRONMENT);
    assert.equal(python.loads.length, 1);
    python.terminate();
    await loading.load("fallback", ENVIRONMENT);
    assert.equal(python.loads.length, 2);
    assert.equal(connection.latest("pyodide_loading_start").payload.attempt_id, "attempt-2");
  });
});
