import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { addLazyFile, fetchNow, once } from "../../static/js/lazy_files.js";

class ErrnoError extends Error {
  /** @param {number} errno */
  constructor(errno) {
    super();
    this.errno = errno;
  }
}

/** Files as Emscripten's MEMFS keeps them. */
function fileSystem() {
  /** @type {Map<string, any>} */ const nodes = new Map();
  return {
    nodes,
    folders: /** @type {string[]} */ ([]),
    mkdirTree(/** @type {string} */ path) {
      this.folders.push(path);
    },
    writeFile(/** @type {string} */ path, /** @type {Uint8Array} */ contents) {
      nodes.set(path, { contents, usedBytes: contents.length });
    },
    lookupPath: (/** @type {string} */ path) => ({ node: nodes.get(path) }),
    ErrnoError,
  };
}

describe("addLazyFile", () => {
  it("is there with its size at once, and read once, when somebody looks inside", () => {
    const fs = fileSystem();
    let reads = 0;
    addLazyFile(fs, "/lib/site/a.py", 3, () => {
      reads += 1;
      return Uint8Array.of(1, 2, 3);
    });
    assert.deepEqual(fs.folders, ["/lib/site"]);
    const node = fs.nodes.get("/lib/site/a.py");
    assert.equal(node.usedBytes, 3);
    assert.equal(reads, 0);
    assert.deepEqual([...node.contents], [1, 2, 3]);
    assert.deepEqual([...node.contents], [1, 2, 3]);
    assert.equal(reads, 1);
  });

  it("can be written over without being read", () => {
    const fs = fileSystem();
    addLazyFile(fs, "/a.py", 3, () => assert.fail("it was read"));
    const node = fs.nodes.get("/a.py");
    node.contents = Uint8Array.of(9);
    assert.deepEqual([...node.contents], [9]);
  });

  it("is an input/output error for Python when it cannot be read, and may be read later", () => {
    const fs = fileSystem();
    let works = false;
    addLazyFile(fs, "/a.py", 1, () => {
      if (!works) {
        throw new TypeError("no network");
      }
      return Uint8Array.of(1);
    });
    const node = fs.nodes.get("/a.py");
    assert.throws(() => node.contents, { errno: 29 });
    works = true;
    assert.deepEqual([...node.contents], [1]);
  });
});

describe("fetchNow", () => {
  /**
   * @param {number} status
   * @param {string} responseText
   */
  function request(status, responseText) {
    return /** @type {any} */ (
      class {
        status = status;
        responseText = responseText;
        /** @param {unknown[]} how */
        open(...how) {
          assert.deepEqual(how, ["GET", "/a", false]);
        }
        /** @param {string} type */
        overrideMimeType(type) {
          assert.match(type, /charset=x-user-defined/);
        }
        send() {}
      }
    );
  }

  it("gives the bytes, whatever they are", () => {
    // The charset maps bytes of 128 and more to U+F780 to U+F7FF (WHATWG Encoding, 14.5).
    assert.deepEqual([...fetchNow("/a", request(200, "a\u0000\uf780\uf7ff"))], [97, 0, 128, 255]);
  });

  it("fails when the file is not there", () => {
    assert.throws(() => fetchNow("/a", request(404, "")), /HTTP 404/);
  });
});

describe("once", () => {
  it("gives the same answer each time, and tries again after a failure", () => {
    let calls = 0;
    const answer = once(() => {
      calls += 1;
      if (calls === 1) {
        throw new Error("not yet");
      }
      return { calls };
    });
    assert.throws(answer);
    assert.equal(answer(), answer());
    assert.equal(calls, 2);
  });
});
