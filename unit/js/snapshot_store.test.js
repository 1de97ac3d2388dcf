import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { SnapshotStore } from "../../static/js/snapshot_store.js";
import { ManualTime } from "./fakes/manual_time.js";

/** A private file system; a write can fail half-way. */
class FakeFolder {
  /** @type {Map<string, Uint8Array>} */ files = new Map();
  isFull = false;

  async *keys() {
    yield* [...this.files.keys()];
  }

  /** @param {string} name */
  async removeEntry(name) {
    if (!this.files.delete(name)) {
      throw new DOMException("no such file", "NotFoundError");
    }
  }

  /**
   * @param {string} name
   * @param {{create?: boolean}} [options]
   */
  async getFileHandle(name, { create = false } = {}) {
    if (!this.files.has(name)) {
      if (!create) {
        throw new DOMException("no such file", "NotFoundError");
      }
      this.files.set(name, new Uint8Array(0));
    }
    return {
      getFile: async () => new Blob([/** @type {any} */ (this.files.get(name))]),
      createWritable: async () => {
        let written = new Uint8Array(0);
        return {
          write: async (/** @type {Uint8Array<ArrayBuffer>} */ bytes) => {
            if (this.isFull) {
              throw new DOMException("no room", "QuotaExceededError");
            }
            written = bytes;
          },
          close: async () => void this.files.set(name, written),
        };
      },
    };
  }
}

describe("SnapshotStore", () => {
  /** @type {FakeFolder} */ let folder;
  /** @type {SnapshotStore} */ let store;

  beforeEach(() => {
    folder = new FakeFolder();
    store = new SnapshotStore({ getDirectory: async () => /** @type {any} */ (folder) });
  });

  it("gives back what was written, by its name", async () => {
    assert.equal(await store.read("aaaa"), null);
    await store.write("aaaa", Uint8Array.of(1, 2));
    assert.deepEqual(await store.read("aaaa"), Uint8Array.of(1, 2));
    assert.equal(await store.read("bbbb"), null);
  });

  it("keeps one snapshot, and no file of others", async () => {
    folder.files.set("somebody's", Uint8Array.of(9));
    await store.write("aaaa", Uint8Array.of(1));
    await store.write("bbbb", Uint8Array.of(2));
    assert.deepEqual([...folder.files.keys()], ["somebody's", "bbbb.snapshot"]);
  });

  it("has nothing of what could not be written whole", async () => {
    folder.isFull = true;
    await store.write("aaaa", Uint8Array.of(1, 2));
    assert.equal(await store.read("aaaa"), null);
  });

  it("forgets one that is of no use", async () => {
    await store.write("aaaa", Uint8Array.of(1));
    await store.remove("aaaa");
    await store.remove("aaaa");
    assert.equal(await store.read("aaaa"), null);
  });

  it("does not wait for a file system that never answers", async () => {
    const time = new ManualTime();
    const silent = new SnapshotStore({ getDirectory: () => new Promise(() => {}) }, time);
    const read = silent.read("aaaa");
    await time.advance(1000);
    assert.equal(await read, null);
  });

  it("keeps nothing where there is no private file system, or it is forbidden", async () => {
    const forbidden = {
      getDirectory: async () => {
        throw new DOMException("no", "SecurityError");
      },
    };
    for (const storage of [undefined, /** @type {any} */ ({}), forbidden]) {
      const none = new SnapshotStore(storage);
      await none.write("aaaa", Uint8Array.of(1));
      await none.remove("aaaa");
      assert.equal(await none.read("aaaa"), null);
    }
  });
});
