/**
 * Restores an interpreter from a memory snapshot: its memory as it was when everything that a study
 * needs had been imported.
 *
 * A snapshot holds what differs from the memory of an instance that was just made, in runs of bytes;
 * the rest is in the WebAssembly already. Pyodide 314 restores snapshots by two options that are
 * private to it, `_makeSnapshot` and `_loadSnapshot`. What is given here as the snapshot is nothing
 * but Pyodide's own header; the memory is filled before Pyodide looks at it. So the WebAssembly is
 * compiled while the snapshot still arrives, and nothing is copied twice.
 *
 * This runs in Node.js, too, where snapshots are made and tried out.
 */

import { SnapshotError } from "./errors.js";
import { readPack } from "./pack.js";

const FNV_OFFSET = 2166136261;
const FNV_PRIME = 16777619;
/** Where Pyodide's header says how long it is: its second word. */
const LENGTH_AT = 4;

/**
 * @typedef {object} SnapshotHeader
 * @property {string} pyodide version
 * @property {number} memory_bytes
 * @property {[offset: number, length: number][]} runs in order, apart from each other
 * @property {number} checksum of the whole memory
 * @property {string} pyodide_header in base64
 * @property {[path: string, bytes: number][]} files of the packages in it, below site-packages
 *
 * @typedef {object} Core what is used of Emscripten's module
 * @property {Int8Array} HEAP8 its memory; another view of it after it has grown
 * @property {(bytes: number) => unknown} growMemory
 *
 * @typedef {object} Restoring
 * @property {{_loadSnapshot: Uint8Array, createPyodideModule: (settings: any) => Promise<Core>}}
 *   options for `loadPyodide`, which rejects with a `SnapshotError` where it cannot be restored
 * @property {Promise<[path: string, bytes: number][]>} files of packages that it has imported
 */

/**
 * @param {object} parts
 * @param {{header_bytes: number}} parts.info what the page was told of it
 * @param {Promise<Uint8Array>} parts.bytes the pack
 * @param {(settings: any) => Promise<Core>} parts.createPyodideModule of `pyodide.asm.mjs`
 * @returns {Restoring}
 */
export function restoring({ info, bytes, createPyodideModule }) {
  let arriving = bytes.then(readSnapshot);
  const ownHeader = new Uint8Array(info.header_bytes);

  /** @param {any} settings Emscripten's */
  async function createRestored(settings) {
    const [core, { header, payload }] = await Promise.all([
      createPyodideModule(settings),
      arriving,
    ]);
    if (core.HEAP8.length < header.memory_bytes) {
      core.growMemory(header.memory_bytes);
    }
    fill(core.HEAP8, header, payload);
    copyHeader(header, ownHeader);
    // Pyodide keeps its options, and with them this function, for as long as it lives.
    arriving = Promise.reject(new SnapshotError("it was restored before"));
    arriving.catch(() => {});
    return core;
  }

  const files = arriving.then(({ header }) => header.files);
  files.catch(() => {}); // Nobody asks for them where the memory could not be restored.
  return {
    options: { _loadSnapshot: ownHeader, createPyodideModule: createRestored },
    files,
  };
}

/**
 * Sum of a memory: FNV-1a over 32 bits at a time, in four lanes. Each step of one lane waits for the
 * step before it, so that four side by side take half the time: 8 ms for 31 MB, the first time.
 * @param {Int8Array | Uint8Array} memory a multiple of 16 bytes, at an address that is one of 4
 * @returns {number} unsigned
 */
export function checksumOf(memory) {
  const words = new Int32Array(memory.buffer, memory.byteOffset, memory.byteLength / 4);
  let a = FNV_OFFSET | 0;
  let b = a;
  let c = a;
  let d = a;
  for (let index = 0; index < words.length; index += 4) {
    a = Math.imul(a ^ words[index], FNV_PRIME);
    b = Math.imul(b ^ words[index + 1], FNV_PRIME);
    c = Math.imul(c ^ words[index + 2], FNV_PRIME);
    d = Math.imul(d ^ words[index + 3], FNV_PRIME);
  }
  return [b, c, d].reduce((sum, lane) => Math.imul(sum, FNV_PRIME) ^ lane, a) >>> 0;
}

/**
 * @param {Uint8Array} bytes
 * @returns {{header: SnapshotHeader, payload: Uint8Array}}
 * @throws {SnapshotError}
 */
function readSnapshot(bytes) {
  let pack;
  try {
    pack = readPack(bytes, "snapshot");
  } catch (error) {
    throw new SnapshotError(error instanceof Error ? error.message : String(error));
  }
  const { header, payload } = pack;
  if (!Array.isArray(header.runs) || !Array.isArray(header.files)) {
    throw new SnapshotError("the snapshot's header lacks something");
  }
  return { header, payload };
}

/**
 * @param {Int8Array} memory
 * @param {SnapshotHeader} header
 * @param {Uint8Array} payload
 * @throws {SnapshotError} it does not fit; the memory is of no use then
 */
function fill(memory, { memory_bytes, runs, checksum }, payload) {
  if (memory.length < memory_bytes) {
    throw new SnapshotError(`the memory has ${memory.length} bytes, the snapshot ${memory_bytes}`);
  }
  let taken = 0;
  let end = 0;
  for (const [offset, length] of runs) {
    if (!(offset >= end && length > 0 && offset + length <= memory_bytes)) {
      throw new SnapshotError("the snapshot's runs are not in the memory");
    }
    if (taken + length > payload.length) {
      throw new SnapshotError("the snapshot is cut off");
    }
    memory.set(payload.subarray(taken, taken + length), offset);
    taken += length;
    end = offset + length;
  }
  if (taken !== payload.length) {
    throw new SnapshotError("the snapshot goes on after its end");
  }
  if (checksumOf(memory.subarray(0, memory_bytes)) !== checksum) {
    throw new SnapshotError("the restored memory is not what it was: its checksum differs");
  }
}

/**
 * @param {SnapshotHeader} header
 * @param {Uint8Array} ownHeader where Pyodide looks for its header, and for the memory behind it
 * @throws {SnapshotError}
 */
function copyHeader({ pyodide_header }, ownHeader) {
  const text = atob(pyodide_header);
  if (text.length !== ownHeader.length) {
    throw new SnapshotError(
      `Pyodide's header has ${text.length} bytes, and ${ownHeader.length} were announced`,
    );
  }
  for (let index = 0; index < text.length; index += 1) {
    ownHeader[index] = text.charCodeAt(index);
  }
  // Behind its header Pyodide finds nothing more to copy.
  new DataView(ownHeader.buffer).setUint32(LENGTH_AT, ownHeader.length, true);
}
