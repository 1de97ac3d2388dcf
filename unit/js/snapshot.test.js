import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SnapshotError } from "../../static/js/errors.js";
import { checksumOf, restoring } from "../../static/js/snapshot.js";

const MEMORY_BYTES = 64;
const OWN_HEADER = Uint8Array.from({ length: 32 }, (_, index) => index);

/** The memory of an instance that was just made, and what it is once restored. */
function memories() {
  const base = Int8Array.from({ length: MEMORY_BYTES }, (_, index) => index);
  const full = base.slice();
  full.set([-1, -2, -3], 8);
  full.set([-4, -5], 40);
  return { base, full };
}

/**
 * A snapshot of the above.
 * @param {object} [changes] to its header
 * @param {number[]} [payload]
 */
function pack(changes = {}, payload = [-1, -2, -3, -4, -5]) {
  const header = {
    kind: "snapshot",
    pyodide: "314.0.7",
    memory_bytes: MEMORY_BYTES,
    runs: [
      [8, 3],
      [40, 2],
    ],
    checksum: checksumOf(memories().full),
    pyodide_header: btoa(String.fromCharCode(...OWN_HEADER)),
    files: [["a/b.py", 12]],
    ...changes,
  };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const fixed = new Uint8Array(16);
  fixed.set(new TextEncoder().encode("GRACEPK1"));
  new DataView(fixed.buffer).setUint32(8, json.length, true);
  return Uint8Array.of(...fixed, ...json, ...payload);
}

/**
 * @param {Uint8Array | Promise<Uint8Array>} bytes
 */
function restore(bytes) {
  const { base } = memories();
  /** @type {any[]} */ const settings = [];
  const { options, files } = restoring({
    info: { header_bytes: OWN_HEADER.length },
    bytes: Promise.resolve(bytes),
    createPyodideModule: async (given) => {
      settings.push(given);
      const core = {
        HEAP8: base,
        growMemory: (/** @type {number} */ bytes) => {
          if (bytes <= 2 * MEMORY_BYTES) {
            core.HEAP8 = new Int8Array(bytes);
            core.HEAP8.set(base);
          }
        },
      };
      return core;
    },
  });
  return { base, settings, options, files };
}

describe("restoring", () => {
  it("fills what differs, and gives Pyodide its header with nothing behind it", async () => {
    const { base, settings, options, files } = restore(pack());
    await options.createPyodideModule({ noInitialRun: true });
    assert.deepEqual(base, memories().full);
    assert.deepEqual(settings, [{ noInitialRun: true }]);
    const words = new Uint32Array(options._loadSnapshot.buffer);
    assert.equal(words[1], options._loadSnapshot.length);
    assert.deepEqual([...options._loadSnapshot.subarray(8)], [...OWN_HEADER.subarray(8)]);
    assert.deepEqual(await files, [["a/b.py", 12]]);
  });

  it("lets the memory grow for a snapshot that is larger", async () => {
    const { full } = memories();
    const grown = new Int8Array(2 * MEMORY_BYTES);
    grown.set(full);
    const bytes = pack({ memory_bytes: grown.length, checksum: checksumOf(grown) });
    const { HEAP8 } = await restore(bytes).options.createPyodideModule({});
    assert.deepEqual(HEAP8, grown);
  });

  it("lets the instance be made while the snapshot still arrives", async () => {
    /** @type {(bytes: Uint8Array) => void} */ let arrive = () => {};
    const bytes = new Promise((/** @type {typeof arrive} */ resolve) => {
      arrive = resolve;
    });
    const { settings, options } = restore(bytes);
    const created = options.createPyodideModule({});
    assert.equal(settings.length, 1);
    arrive(pack());
    await created;
  });

  const whole = pack();
  const spoiled = pack({}, [-1, -2, -3, -4, -6]);
  for (const [name, bytes, message] of /** @type {[string, Uint8Array, RegExp][]} */ ([
    ["is no pack", new TextEncoder().encode("<!doctype html>"), /no pack/],
    ["is empty", new Uint8Array(0), /no pack/],
    ["is cut off in its header", whole.subarray(0, 40), /cut off/],
    ["is cut off in its memory", whole.subarray(0, -1), /cut off/],
    ["goes on after its end", Uint8Array.of(...whole, 0), /after its end/],
    ["has one bit wrong", spoiled, /checksum/],
    ["is of another memory", pack({ checksum: 1 }), /checksum/],
    ["goes past the memory", pack({ runs: [[62, 5]] }), /not in the memory/],
    ["begins before the memory", pack({ runs: [[-4, 5]] }), /not in the memory/],
    ["goes backwards", pack({ runs: [[40, 3], [8, 2]] }), /not in the memory/], // biome-ignore format: one a line
    ["has a run of no number", pack({ runs: [["x", 5]] }), /not in the memory/],
    ["needs more memory than there can be", pack({ memory_bytes: 256 }), /memory has 64/],
    ["has no runs", pack({ runs: null }), /lacks/],
    ["holds something else", pack({ kind: "files" }), /holds files/],
    ["has another header", pack({ pyodide_header: btoa("short") }), /5 bytes/],
  ])) {
    it(`refuses what ${name}`, async () => {
      const { options } = restore(bytes);
      await assert.rejects(options.createPyodideModule({}), (error) => {
        assert.ok(error instanceof SnapshotError);
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it("passes on that the snapshot could not be fetched", async () => {
    const { options } = restore(Promise.reject(new Error("HTTP 404")));
    await assert.rejects(options.createPyodideModule({}), /HTTP 404/);
  });
});

describe("checksumOf", () => {
  it("differs for every word and for every place of it", () => {
    const memory = new Int8Array(16);
    const sums = new Set([checksumOf(memory)]);
    for (let index = 0; index < memory.length; index += 1) {
      const other = memory.slice();
      other[index] = 1;
      sums.add(checksumOf(other));
    }
    assert.equal(sums.size, 17);
  });
});
