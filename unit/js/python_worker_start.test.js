import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { FakeWorker } from "./fakes/fake_worker.js";

const CONFIG = /** @type {any} */ ({ runtime: "worker" });
const ENVIRONMENT = { url: "/static/0123/match/environment.py", config: {} };

describe("the start of Python's worker", () => {
  /** @type {FakeWorker[]} */ let workers;
  /** @type {typeof import("../../static/js/python_worker_start.js")} */ let module;
  let copies = 0;

  beforeEach(async () => {
    workers = [];
    Object.assign(globalThis, {
      Worker: class extends FakeWorker {
        constructor() {
          super();
          workers.push(this);
        }
      },
    });
    // A page has one of it, and each test a page.
    copies += 1;
    const url = new URL(`../../static/js/python_worker_start.js?${copies}`, import.meta.url);
    module = await import(url.href);
  });

  it("tells the worker what there is, first of all, and what it may fetch", () => {
    module.startEarly(CONFIG, ENVIRONMENT);
    const [beginning, prepare] = workers[0].messages;
    assert.equal(beginning.config, CONFIG);
    assert.match(beginning.lock, /^grace-python-[0-9a-f-]{36}$/);
    assert.deepEqual(prepare, { id: 0, call: "prepare", args: [ENVIRONMENT] });
  });

  it("gives the page the worker that was started early, then new ones", () => {
    module.startEarly(CONFIG, ENVIRONMENT);
    module.startEarly(CONFIG, ENVIRONMENT);
    assert.equal(workers.length, 1);
    const first = module.takeWorker(CONFIG);
    assert.equal(first.worker, workers[0]);
    assert.equal(first.lock, workers[0].messages[0].lock);
    const second = module.takeWorker(CONFIG);
    assert.equal(second.worker, workers[1]);
    assert.notEqual(second.lock, first.lock);
  });

  it("starts none where the page was faster", () => {
    module.takeWorker(CONFIG);
    module.startEarly(CONFIG, ENVIRONMENT);
    assert.equal(workers.length, 1);
  });

  it("keeps what the worker says until the page listens", () => {
    module.startEarly(CONFIG, ENVIRONMENT);
    workers[0].say({ started: true });
    workers[0].onerror?.({ message: "SyntaxError" });
    const { missed } = module.takeWorker(CONFIG);
    assert.deepEqual(missed, [{ started: true }, { failure: "SyntaxError" }]);
  });
});
