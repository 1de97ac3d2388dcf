import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { Downloads } from "../../static/js/downloads.js";
import { startPyodide } from "../../static/js/pyodide_start.js";
import { CONFIG, FakeFiles, FakeStore } from "./fakes/fake_downloads.js";
import { ManualTime, settled } from "./fakes/manual_time.js";

const SNAPSHOT = { url: "/static/cccc/study.pack", bytes: 8, header_bytes: 16 };
const PACKAGES = { url: "/static/dddd/packages.pack", bytes: 100 };

/**
 * A pack of files.
 * @param {Record<string, string>} files
 */
function pack(files) {
  const header = {
    kind: "files",
    files: Object.entries(files).map(([path, text]) => [path, text.length]),
  };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const fixed = new Uint8Array(16);
  fixed.set(new TextEncoder().encode("GRACEPK1"));
  new DataView(fixed.buffer).setUint32(8, json.length, true);
  const payload = new TextEncoder().encode(Object.values(files).join(""));
  return Uint8Array.of(...fixed, ...json, ...payload);
}

describe("startPyodide", () => {
  /** @type {FakeFiles} */ let files;
  /** @type {FakeStore} */ let store;
  /** @type {ManualTime} */ let time;
  /** @type {string[]} what was restored */ let restored;

  /**
   * @param {Partial<import("../../static/js/python.js").PythonConfig>} [changes]
   * @param {number} [attempt]
   */
  function start(changes = {}, attempt = 1) {
    return startPyodide(
      {
        config: { ...CONFIG, ...changes },
        downloads: new Downloads(files.fetch, time),
        importModule: files.importModule,
        time,
        global: files.global,
        store,
        fetchNow: () => new Uint8Array(0),
        restoring: ({ bytes }) => {
          const listed = bytes.then((found) => {
            restored.push(new TextDecoder().decode(found));
            return /** @type {[string, number][]} */ ([]);
          });
          listed.catch(() => {});
          const options = /** @type {any} */ ({ _loadSnapshot: "snapshot" });
          return { options, files: listed };
        },
      },
      attempt,
    );
  }

  beforeEach(() => {
    files = new FakeFiles();
    store = new FakeStore();
    time = new ManualTime();
    restored = [];
  });

  it("hands Pyodide the files that were fetched before it asked", async () => {
    files.contents.set(`${CONFIG.pyodide_url}pyodide.asm.wasm`, "wasm");
    files.contents.set(`${CONFIG.pyodide_url}python_stdlib.zip`, "library");
    const { facts } = await start();
    assert.deepEqual(facts, { snapshot: "none" });
    assert.deepEqual(files.given, {
      "pyodide.asm.wasm": "wasm",
      instance: "wasm with imports",
      "python_stdlib.zip": "library",
    });
    assert.equal(files.starts[0].createPyodideModule, "core");
    assert.deepEqual(files.starts[0].lockFileContents, { info: CONFIG.lock_info, packages: {} });
  });

  for (const name of ["pyodide.asm.wasm", "python_stdlib.zip"]) {
    it(`names ${name} when it is missing`, async () => {
      files.missing.add(CONFIG.pyodide_url + name);
      await assert.rejects(start(), {
        message: `${CONFIG.pyodide_url}${name} could not be fetched: HTTP 404`,
      });
    });
  }

  it("asks for the modules under another address when it tries again", async () => {
    files.missing.add(`${CONFIG.pyodide_url}pyodide.mjs`);
    await assert.rejects(start());
    await start({}, 2);
    assert.equal(files.asked.includes(`${CONFIG.pyodide_url}pyodide.mjs?attempt=2`), true);
  });

  it("gives up a Pyodide that never starts", async () => {
    files.hangs = true;
    const refused = assert.rejects(start(), /has not started within 120 s/);
    await settled();
    await time.advance(120_000);
    await refused;
  });

  it("puts back what it replaced, whatever happens", async () => {
    const { fetch } = files.global;
    const { instantiateStreaming } = files.global.WebAssembly;
    files.failure = new Error("no memory");
    await assert.rejects(start(), /no memory/);
    assert.equal(files.global.fetch, fetch);
    assert.equal(files.global.WebAssembly.instantiateStreaming, instantiateStreaming);
  });

  for (const snapshot of [null, SNAPSHOT]) {
    const from = snapshot === null ? "plainly" : "from a snapshot";
    it(`fails at once when the WebAssembly cannot be compiled, ${from}`, async () => {
      files.wasmFailure = new WebAssembly.CompileError("out of memory");
      await assert.rejects(start({ snapshot }), /out of memory/);
    });

    it(`does not wait for Pyodide to ask for WebAssembly that cannot be compiled, ${from}`, async () => {
      files.wasmFailure = new WebAssembly.CompileError("out of memory");
      const never = () => new Promise(() => {});
      files.importModule = async () => /** @type {any} */ ({ loadPyodide: never, default: "core" });
      await assert.rejects(start({ snapshot }), /out of memory/);
    });

    it(`fails at once when the WebAssembly cannot be instantiated, ${from}`, async () => {
      const { fetch } = files.global;
      files.instantiateFailure = new RangeError("no room for its memory");
      await assert.rejects(start({ snapshot }), /no room for its memory/);
      assert.equal(files.global.fetch, fetch);
    });

    it(`compiles the WebAssembly before Pyodide's modules are there, ${from}`, async () => {
      const { importModule } = files;
      /** @type {() => void} */ let arrive = () => {};
      const arrived = new Promise((resolve) => {
        arrive = () => resolve(null);
      });
      files.importModule = (url) => arrived.then(() => importModule(url));
      const started = start({ snapshot });
      await settled();
      assert.equal(files.compilations, 1);
      arrive();
      await started;
      assert.equal(files.compilations, 1);
    });

    it(`fails at once when the WebAssembly cannot be fetched, ${from}`, async () => {
      files.missing.add(`${CONFIG.pyodide_url}pyodide.asm.wasm`);
      await assert.rejects(start({ snapshot }), /asm.wasm could not be fetched: HTTP 404/);
    });
  }

  it("puts the files of packages in their place", async () => {
    files.contents.set(PACKAGES.url, pack({ "a/b.py": "one", "c.py": "two" }));
    await start({ packages: PACKAGES });
    const texts = [...files.interpreter.files].map(([path, bytes]) => [
      path,
      new TextDecoder().decode(bytes),
    ]);
    assert.deepEqual(texts, [
      ["/lib/python3.14/site-packages/a/b.py", "one"],
      ["/lib/python3.14/site-packages/c.py", "two"],
    ]);
  });

  it("takes packages of Pyodide's own distribution from where the server has them", async () => {
    await start({ distribution: { url: "/static/eeee/", packages: ["numpy"] } });
    assert.equal(files.starts[0].lockFileURL, "/static/eeee/pyodide-lock.json");
    assert.ok(URL.canParse(files.starts[0].packageBaseUrl));
    assert.ok(files.starts[0].packageBaseUrl.endsWith("/static/eeee/"));
    assert.equal("lockFileContents" in files.starts[0], false);
  });

  it("restores a snapshot, and does not wait for the library", async () => {
    files.contents.set(SNAPSHOT.url, "memory");
    const { facts } = await start({ snapshot: SNAPSHOT });
    assert.deepEqual(facts, { snapshot: "restored" });
    assert.deepEqual(restored, ["memory"]);
    assert.equal(files.asked.includes(`${CONFIG.pyodide_url}python_stdlib.zip`), false);
    assert.equal(files.given["python_stdlib.zip"], "");
    assert.equal(files.interpreter.files.has("/lib/python314.zip"), true);
  });

  it("keeps the snapshot for the next visit, which does not fetch it", async () => {
    files.contents.set(SNAPSHOT.url, "memory");
    const { keep } = await start({ snapshot: SNAPSHOT });
    assert.equal(store.kept.size, 0);
    keep();
    await settled();
    assert.deepEqual([...store.kept.keys()], ["cccc"]);
    files.asked = [];
    await start({ snapshot: SNAPSHOT });
    assert.equal(files.asked.includes(SNAPSHOT.url), false);
    assert.deepEqual(restored, ["memory", "memory"]);
  });

  it("fetches it again when what was kept cannot be restored, and keeps that", async () => {
    files.contents.set(SNAPSHOT.url, "memory");
    store.kept.set("cccc", new TextEncoder().encode("spoiled"));
    files.failure = new Error("checksum");
    const { facts, keep } = await start({ snapshot: SNAPSHOT });
    assert.deepEqual(facts, { snapshot: "restored" });
    assert.deepEqual(restored, ["spoiled", "memory"]);
    assert.equal(store.kept.size, 0);
    keep();
    await settled();
    assert.deepEqual(store.kept.get("cccc"), new TextEncoder().encode("memory"));
  });

  it("leaves a kept snapshot alone when it is the WebAssembly that is not there", async () => {
    store.kept.set("cccc", new TextEncoder().encode("memory"));
    files.missing.add(`${CONFIG.pyodide_url}pyodide.asm.wasm`);
    await assert.rejects(start({ snapshot: SNAPSHOT }), /asm.wasm could not be fetched: HTTP 404/);
    assert.equal(store.kept.size, 1);
    assert.equal(files.starts.length, 1);
    assert.equal(files.asked.includes(SNAPSHOT.url), false);
  });

  it("lets a start that has failed instantiate nothing of the next one's", async () => {
    const { instantiateStreaming } = files.global.WebAssembly;
    /** @type {any[]} */ const strange = [];
    files.global.WebAssembly.instantiateStreaming = async (source) =>
      /** @type {any} */ (strange.push(source));
    files.hangs = true;
    const started = assert.rejects(start(), /has not started/);
    await settled();
    const stale = Promise.resolve(new Response());
    await files.global.WebAssembly.instantiateStreaming(stale);
    assert.deepEqual(strange, [stale]);
    await time.advance(120_000);
    await started;
    files.global.WebAssembly.instantiateStreaming = instantiateStreaming;
  });

  it("starts plainly when the snapshot cannot be restored, and says why", async () => {
    files.failure = new Error("another build");
    const { facts } = await start({ snapshot: SNAPSHOT });
    assert.deepEqual(facts, { snapshot: "failed", snapshot_error: "another build" });
    assert.equal(files.starts.length, 2);
    assert.equal(files.compilations, 1);
    assert.equal("_loadSnapshot" in files.starts[1], false);
  });

  it("starts plainly when the snapshot is not there", async () => {
    files.missing.add(SNAPSHOT.url);
    const { facts } = await start({ snapshot: SNAPSHOT });
    assert.equal(facts.snapshot, "failed");
    assert.match(String(facts.snapshot_error), /study.pack could not be fetched: HTTP 404/);
  });

  it("starts plainly when the snapshot stops arriving, with what it replaced put back", async () => {
    const { fetch } = files.global;
    const stalled = new Response(new ReadableStream({ start() {} }));
    const ask = files.fetch;
    files.fetch = async (url) => (url === SNAPSHOT.url ? stalled : ask(url));
    const started = start({ snapshot: SNAPSHOT });
    await settled();
    await time.advance(20_000);
    const { facts } = await started;
    assert.equal(facts.snapshot, "failed");
    assert.match(String(facts.snapshot_error), /nothing arrived for 20 s/);
    assert.equal(files.global.fetch, fetch);
    assert.equal(files.given["python_stdlib.zip"], "file");
  });
});
