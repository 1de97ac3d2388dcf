/**
 * Makes a memory snapshot of Pyodide with a study's environments imported, in Node.js 20 or later:
 * `node make_snapshot.mjs ORDER`, where ORDER is a JSON file (see `Order`).
 *
 * The snapshot is tried out before it is kept: it is restored by the module that does so in the
 * page, and each environment has to play on as it does in an interpreter that was loaded plainly.
 * Prints a JSON object as its last line: `{memory_bytes, header_bytes}`, or `{reason}`.
 *
 * @typedef {object} Order
 * @property {string} pyodide folder of Pyodide's files
 * @property {string} restoring the page's `snapshot.js`
 * @property {string} runner `grace_runner.py`
 * @property {Environment[]} environments
 * @property {string | null} packages a pack of files
 * @property {string} target the pack that is written
 * @property {number} timeout_s after which this process ends itself, should nobody else do so
 *
 * @typedef {object} Environment
 * @property {string} filename
 * @property {string} source
 * @property {object} config
 * @property {number[]} actions that a player can take
 */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";

/** Runs shorter than this apart are written as one: each costs some bytes of the header. */
const GRAIN_BYTES = 1024;
const MAGIC = "GRACEPK1";
const FIXED_BYTES = 16;
const STEPS = 20;
/** Largest piece of free memory that is looked for; the memory grows by twice as much at most. */
const MOST_FREE_BYTES = 1 << 18;
const LEAST_FREE_BYTES = 16;
/** Most memory that Python gets, in pages of 64 KiB: 1 GiB. */
const MOST_PAGES = 16_384;

/** @type {Order} */
const order = JSON.parse(await readFile(process.argv[2], "utf-8"));
endInTime(order.timeout_s);
setFlagsFromString(`--wasm-max-mem-pages=${MOST_PAGES}`);
// Emscripten puts them into the memory, and so everybody would read them: as in a browser, none.
process.argv.length = 1;
const load = (/** @type {string} */ path) => import(pathToFileURL(path).href);
const { loadPyodide, version } = await load(join(order.pyodide, "pyodide.mjs"));
const { default: createPyodideModule } = await load(join(order.pyodide, "pyodide.asm.mjs"));
const { checksumOf, restoring } = await load(order.restoring);
const { readFiles } = await load(join(order.restoring, "..", "pack.js"));

/** What environments print is not for whoever starts the server. */
const common = { indexURL: `${order.pyodide}/`, stdout: () => {}, stderr: () => {} };
const runner = await readFile(order.runner);
const packages = order.packages === null ? new Map() : readFiles(await readFile(order.packages));

try {
  console.log(JSON.stringify(await make()));
} catch (error) {
  console.log(JSON.stringify({ reason: reasonOf(error) }));
}
// Pyodide keeps a Node.js process alive.
process.exit(0);

async function make() {
  const snapshot = await takeSnapshot();
  const words = new Uint32Array(snapshot.buffer, snapshot.byteOffset, 3);
  const ownHeader = snapshot.slice(0, words[1]);
  const memory = snapshot.subarray(words[1]);
  const base = await memoryBefore(memory.length);
  const { runs, payload } = differences(base, memory);
  const header = {
    kind: "snapshot",
    pyodide: version,
    memory_bytes: memory.length,
    runs,
    checksum: checksumOf(memory),
    pyodide_header: Buffer.from(ownHeader).toString("base64"),
    files: [...packages].map(([path, bytes]) => [path, bytes.length]),
  };
  const bytes = pack(header, payload);
  const info = { memory_bytes: memory.length, header_bytes: ownHeader.length };
  await tryOut(info, bytes);
  await writeFile(order.target, bytes);
  return info;
}

/** @returns {Promise<Uint8Array>} as Pyodide makes it: its header, then the whole memory */
async function takeSnapshot() {
  const pyodide = await loadPyodide({ ...common, _makeSnapshot: true });
  const module = install(pyodide);
  for (const { filename, source, config } of order.environments) {
    inPython(pyodide, module, () => module.prepare(source, filename, JSON.stringify(config)));
  }
  module.settle();
  module.destroy();
  wipeFreeMemory(pyodide._module);
  try {
    return pyodide.makeMemorySnapshot();
  } catch (error) {
    throw new Error(
      `something that was imported holds an object of JavaScript, and no snapshot can (${error})`,
    );
  }
}

/**
 * Fill with zeros what was freed: it holds what nobody will read, and makes the snapshot a quarter
 * larger. A memory allocator keeps its books inside of what is free, so all of it is taken.
 * @param {any} core Emscripten's module; of this nothing public tells how to do it
 */
function wipeFreeMemory(core) {
  const taken = [];
  for (let size = MOST_FREE_BYTES; size >= LEAST_FREE_BYTES; size /= 2) {
    const end = core._sbrk(0);
    for (let place = core._malloc(size); place !== 0; place = core._malloc(size)) {
      core.HEAP8.fill(0, place, place + size);
      taken.push(place);
      if (core._sbrk(0) !== end) {
        break; // Nothing so large was free.
      }
    }
  }
  for (const place of taken) {
    core._free(place);
  }
}

/**
 * The memory of an instance that was just made, in which Pyodide would now restore a snapshot.
 * @param {number} memory_bytes what it is filled up to, as one that grows is, with zeros
 */
async function memoryBefore(memory_bytes) {
  const base = new Uint8Array(memory_bytes);
  const enough = new Error("the memory was seen");
  const createAndLook = async (/** @type {any} */ settings) => {
    const core = await createPyodideModule(settings);
    base.set(core.HEAP8.subarray(0, memory_bytes));
    throw enough;
  };
  const options = { ...common, _loadSnapshot: new Uint8Array(0) };
  await loadPyodide({ ...options, createPyodideModule: createAndLook }).catch(
    (/** @type {unknown} */ error) => {
      if (error !== enough) {
        throw error;
      }
    },
  );
  return base;
}

/**
 * @param {Uint8Array} base
 * @param {Uint8Array} memory
 */
function differences(base, memory) {
  /** @type {[number, number][]} */ const runs = [];
  const parts = [];
  for (let offset = 0; offset < memory.length; offset += GRAIN_BYTES) {
    const part = memory.subarray(offset, offset + GRAIN_BYTES);
    if (Buffer.compare(part, base.subarray(offset, offset + GRAIN_BYTES)) !== 0) {
      const last = runs.at(-1);
      if (last !== undefined && last[0] + last[1] === offset) {
        last[1] += part.length;
      } else {
        runs.push([offset, part.length]);
      }
      parts.push(part);
    }
  }
  return { runs, payload: Buffer.concat(parts) };
}

/**
 * @param {object} header
 * @param {Uint8Array} payload
 */
function pack(header, payload) {
  const json = Buffer.from(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8;
  const start = Buffer.alloc(FIXED_BYTES + padded, " ");
  start.write(MAGIC);
  start.writeUInt32LE(padded, MAGIC.length);
  start.writeUInt32LE(0, MAGIC.length + 4);
  json.copy(start, FIXED_BYTES);
  return Buffer.concat([start, payload]);
}

/**
 * Restore it as the page does, and play.
 * @param {{memory_bytes: number, header_bytes: number}} info
 * @param {Uint8Array} bytes
 */
async function tryOut(info, bytes) {
  const { options } = restoring({ info, bytes: Promise.resolve(bytes), createPyodideModule });
  const restored = await loadPyodide({ ...common, ...options });
  const plain = await loadPyodide(common);
  install(plain).destroy();
  const module = restored.pyimport("grace_runner");
  module.after_restore();
  module.destroy();
  for (const environment of order.environments) {
    if (play(restored, environment) !== play(plain, environment)) {
      throw new Error(`${environment.filename} plays on differently from the snapshot`);
    }
  }
}

/**
 * @param {any} pyodide
 * @param {Environment} environment
 * @returns {string} what became of it
 */
function play(pyodide, { filename, source, config, actions }) {
  const module = pyodide.pyimport("grace_runner");
  const played = module.Runner(source, filename, JSON.stringify(config));
  played.reset(1);
  const hashes = [played.state_hash()];
  for (let step = 0; step < STEPS; step += 1) {
    const players = Array.from({ length: played.players.length });
    played.step(
      JSON.stringify(players.map((_, index) => actions[(step + index) % actions.length])),
    );
    hashes.push(played.state_hash());
  }
  hashes.push(played.render_json());
  played.destroy();
  module.destroy();
  return hashes.join();
}

/**
 * Put the study's packages and the runner in their place.
 * @param {any} pyodide
 */
function install(pyodide) {
  const sys = pyodide.pyimport("sys");
  const folder = `/lib/python${sys.version_info.major}.${sys.version_info.minor}/site-packages`;
  sys.destroy();
  for (const [path, bytes] of packages) {
    const place = `${folder}/${path}`;
    pyodide.FS.mkdirTree(place.slice(0, place.lastIndexOf("/")));
    pyodide.FS.writeFile(place, bytes);
  }
  pyodide.FS.writeFile("grace_runner.py", runner);
  return pyodide.pyimport("grace_runner");
}

/**
 * @param {any} pyodide
 * @param {any} module
 * @param {() => void} action
 */
function inPython(pyodide, module, action) {
  try {
    action();
  } catch (error) {
    const sys = pyodide.pyimport("sys");
    const raised = sys.last_exc;
    throw raised === undefined ? error : new Error(module.format_traceback(raised));
  }
}

/**
 * A thread of its own ends the process when whoever started it is gone, and with them the other end
 * of standard input, or after a time: this thread may be in a loop that never ends.
 * @param {number} timeout_s
 */
function endInTime(timeout_s) {
  const watch = `
    const { Socket } = require("node:net");
    const end = () => process.kill(process.pid, "SIGKILL");
    setTimeout(end, ${timeout_s * 1000});
    new Socket({ fd: 0 }).on("close", end).resume();
  `;
  const worker = new Worker(watch, { eval: true });
  worker.on("error", () => {}); // Standard input is no pipe; the timer stays.
  worker.unref();
}

/** @param {unknown} error */
function reasonOf(error) {
  const lines = (error instanceof Error ? error.message : String(error)).trim().split("\n");
  // The last line of a Python traceback says what went wrong.
  return lines.at(-1);
}
