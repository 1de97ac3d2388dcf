/**
 * Starts Pyodide in this thread, from a memory snapshot where the server offers one, else plainly.
 *
 * Of Pyodide 314 this relies on two options that are private to it (`snapshot.js`), and on that it
 * looks `fetch` and `WebAssembly` up where everybody does.
 */

import { delay } from "./environment.js";
import { GraceError } from "./errors.js";
import { addLazyFile, fetchNow, once } from "./lazy_files.js";
import { readFiles } from "./pack.js";
import { restoring as restoringSnapshot } from "./snapshot.js";

/**
 * @import { Downloads } from "./downloads.js"
 * @import { Time } from "./environment.js"
 * @import { LazyFileSystem } from "./lazy_files.js"
 * @import { LoadFacts, PythonConfig } from "./python.js"
 * @import { SnapshotStore } from "./snapshot_store.js"
 */

const WASM = "pyodide.asm.wasm";
const LIBRARY = "python_stdlib.zip";
const LOCK = "pyodide-lock.json";
/** So long after its library, or its snapshot, has arrived Pyodide is given up: longer than the
 * slowest CPU took. */
const START_TIMEOUT_MS = 120_000;

/**
 * @typedef {object} Pyodide what is used of Pyodide 314
 * @property {LazyFileSystem} FS
 * @property {(name: string) => any} pyimport
 * @property {(names: string[]) => Promise<{name: string}[]>} loadPackage gives those that it has
 *   loaded; others it has only complained of
 *
 * @typedef {object} PyodideModule `pyodide.mjs`
 * @property {(options: Record<string, unknown>) => Promise<Pyodide>} loadPyodide
 *
 * @typedef {object} Global
 * @property {typeof globalThis.fetch} fetch
 * @property {Pick<typeof WebAssembly, "compileStreaming" | "instantiate" |
 *   "instantiateStreaming">} WebAssembly
 *
 * @typedef {object} StartParts
 * @property {PythonConfig} config
 * @property {Downloads} downloads
 * @property {(url: string) => Promise<any>} importModule dynamic `import()`
 * @property {Time} time
 * @property {Global} global where Pyodide looks these up
 * @property {Pick<SnapshotStore, "read" | "write" | "remove">} store
 * @property {(url: string) => Uint8Array} [fetchNow] synchronous
 * @property {typeof import("./snapshot.js").restoring} [restoring]
 *
 * @typedef {object} Started
 * @property {Pyodide} pyodide
 * @property {Pick<LoadFacts, "snapshot" | "snapshot_error">} facts
 * @property {() => void} keep what is left to do once nobody waits: keeps the snapshot for the next
 *   visit
 */

/**
 * @param {StartParts} parts
 * @param {number} attempt 1 for the first of this page
 * @returns {Promise<Started>} with the study's pure packages in place
 * @throws {GraceError} a file cannot be fetched, or Pyodide does not start in time
 * @throws {Error} Pyodide cannot be started
 */
export async function startPyodide(parts, attempt) {
  const { config, importModule } = parts;
  // A module that could not be fetched stays failed under its address in some browsers (HTML
  // standard, module map), so each further attempt asks under another.
  const again = attempt === 1 ? "" : `?attempt=${attempt}`;
  const modules = Promise.all([
    importModule(`${config.pyodide_url}pyodide.mjs${again}`),
    importModule(`${config.pyodide_url}pyodide.asm.mjs${again}`),
  ]);
  modules.catch(() => {}); // Whoever awaits it is told.
  const code = { modules, wasm: compiling(parts) };
  if (config.snapshot === null) {
    const pyodide = await startPlainly(parts, code);
    return { pyodide, facts: { snapshot: "none" }, keep: () => {} };
  }
  try {
    return await restoreKept(parts, code, config.snapshot);
  } catch (error) {
    if (code.wasm.failed) {
      throw error;
    }
    const pyodide = await startPlainly(parts, code);
    const snapshot_error = error instanceof Error ? error.message : String(error);
    return { pyodide, facts: { snapshot: "failed", snapshot_error }, keep: () => {} };
  }
}

/**
 * @typedef {NonNullable<PythonConfig["snapshot"]>} SnapshotPlace
 * @typedef {object} Wasm Pyodide's WebAssembly, which any number of starts can instantiate
 * @property {Promise<WebAssembly.Module>} module
 * @property {boolean} failed whether it could not be fetched or compiled
 *
 * @typedef {object} Code that all starts of one attempt have in common
 * @property {Promise<[PyodideModule, {default: any}]>} modules
 * @property {Wasm} wasm
 */

/**
 * Restore what an earlier visit has kept, else what the server offers.
 * @param {StartParts} parts
 * @param {Code} code
 * @param {SnapshotPlace} place
 * @returns {Promise<Started>}
 */
async function restoreKept(parts, code, place) {
  const { store, downloads } = parts;
  // The part of the address that is a hash of the content.
  const name = place.url.split("/").slice(-2, -1).join();
  const kept = store.read(name);
  let wasKept = false;
  const bytes = kept.then((found) => {
    wasKept = found !== null;
    return found ?? downloads.bytes(place.url, place.bytes);
  });
  const facts = /** @type {const} */ ({ snapshot: "restored" });
  try {
    const pyodide = await restore(parts, code, place, bytes);
    return { pyodide, facts, keep: keeping(store, name, wasKept ? null : await bytes) };
  } catch (error) {
    if (!wasKept || code.wasm.failed) {
      throw error;
    }
  }
  store.remove(name);
  const fetched = downloads.bytes(place.url, place.bytes);
  const pyodide = await restore(parts, code, place, fetched);
  return { pyodide, facts, keep: keeping(store, name, await fetched) };
}

/**
 * Keeps a snapshot at the first call, and then lets go of it.
 * @param {Pick<SnapshotStore, "write">} store
 * @param {string} name
 * @param {Uint8Array | null} bytes null: it is kept already
 * @returns {() => void}
 */
function keeping(store, name, bytes) {
  return () => {
    if (bytes !== null) {
      store.write(name, bytes);
      bytes = null;
    }
  };
}

/**
 * @param {StartParts} parts
 * @param {Code} code
 * @param {SnapshotPlace} place
 * @param {Promise<Uint8Array>} bytes
 */
async function restore(parts, { modules, wasm }, place, bytes) {
  const { config, restoring = restoringSnapshot } = parts;
  bytes.catch(() => {}); // `restoring` is told.
  const [{ loadPyodide }, core] = await modules;
  const { options, files } = restoring({
    info: place,
    bytes,
    createPyodideModule: core.default,
  });
  // The library is put in its place below, to be fetched when something reads it.
  const pyodide = await withFiles(parts, wasm.module, new Uint8Array(0), () =>
    inTime(parts, bytes, loadPyodide({ ...commonOptions(config), ...options })),
  );
  addFiles(parts, pyodide, await files);
  return pyodide;
}

/**
 * Compile Pyodide's WebAssembly while it arrives, and not only when Pyodide asks for it.
 * @param {StartParts} parts
 * @returns {Wasm}
 */
function compiling({ config, downloads, global }) {
  const { response, read } = downloads.response(config.pyodide_url + WASM, config.bytes[WASM] ?? 0);
  const wasm = { module: global.WebAssembly.compileStreaming(response), failed: false };
  wasm.module.then(read, () => {
    wasm.failed = true; // Why, whoever awaits it is told.
  });
  return wasm;
}

/**
 * The library and the packages, as files that are fetched when something reads them.
 * @param {StartParts} parts
 * @param {Pyodide} pyodide
 * @param {[path: string, bytes: number][]} files of the packages
 */
function addFiles(parts, pyodide, files) {
  const { config, fetchNow: fetch = fetchNow } = parts;
  const { version, site_packages } = folders(pyodide);
  const library = config.pyodide_url + LIBRARY;
  const path = `/lib/python${version.replace(".", "")}.zip`;
  addLazyFile(pyodide.FS, path, config.bytes[LIBRARY] ?? 0, () => fetch(library));
  const { packages } = config;
  if (packages === null) {
    return;
  }
  const contents = once(() => readFiles(fetch(packages.url)));
  for (const [name, bytes] of files) {
    addLazyFile(pyodide.FS, `${site_packages}/${name}`, bytes, () => {
      const content = contents().get(name);
      if (content?.length !== bytes) {
        throw new GraceError(`${name} is not what the snapshot has`);
      }
      return content;
    });
  }
}

/**
 * @param {StartParts} parts
 * @param {Code} code
 */
async function startPlainly(parts, { modules, wasm }) {
  const { config, downloads } = parts;
  const packages = config.packages && downloads.bytes(config.packages.url, config.packages.bytes);
  packages?.catch(() => {}); // Awaited below.
  const arriving = downloads.bytes(config.pyodide_url + LIBRARY, config.bytes[LIBRARY] ?? 0);
  // Fetched here, a missing file is an error with a name; fetched by Pyodide, it is a load that
  // never ends.
  const [[{ loadPyodide }, core], library] = await Promise.all([modules, arriving]);
  const options = { ...commonOptions(config), createPyodideModule: core.default };
  const pyodide = await withFiles(parts, wasm.module, library, () =>
    inTime(parts, arriving, loadPyodide(options)),
  );
  if (packages) {
    const { site_packages } = folders(pyodide);
    for (const [name, bytes] of readFiles(await packages)) {
      const path = `${site_packages}/${name}`;
      pyodide.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
      pyodide.FS.writeFile(path, bytes);
    }
  }
  return pyodide;
}

/** @param {PythonConfig} config */
function commonOptions({ pyodide_url, lock_info, distribution }) {
  const lock =
    distribution === null
      ? { lockFileContents: { info: lock_info, packages: {} } }
      : {
          lockFileURL: distribution.url + LOCK,
          // Pyodide makes addresses of it without knowing the page's.
          packageBaseUrl: new URL(distribution.url, import.meta.url).href,
        };
  return { indexURL: pyodide_url, ...lock };
}

/**
 * @param {Pyodide} pyodide
 * @returns {{version: string, site_packages: string}} such as 3.14 and its folder
 */
function folders(pyodide) {
  const sys = pyodide.pyimport("sys");
  const version = `${sys.version_info.major}.${sys.version_info.minor}`;
  sys.destroy();
  return { version, site_packages: `/lib/python${version}/site-packages` };
}

/**
 * @template T
 * @param {StartParts} parts
 * @param {Promise<unknown>} bytes without which it cannot start: they have limits of their own
 * @param {Promise<T>} start
 * @returns {Promise<T>}
 */
function inTime({ time }, bytes, start) {
  const late = bytes
    .then(() => delay(time, START_TIMEOUT_MS))
    .then(() => {
      throw new GraceError(`Pyodide has not started within ${START_TIMEOUT_MS / 1000} s`);
    });
  late.catch(() => {}); // It comes too late for whoever has started.
  return Promise.race([start, late]);
}

/**
 * While `action` runs, Pyodide's files are answered from here and not fetched; fails as soon as the
 * WebAssembly does. Pyodide 314.0.7 cannot be handed it: it would fetch it only once its modules are
 * there, and compile it only once Emscripten has set itself up; when it cannot be had, compiled or
 * instantiated, Pyodide prints a warning and waits for ever.
 * @template T
 * @param {StartParts} parts
 * @param {Promise<WebAssembly.Module>} module
 * @param {Uint8Array<ArrayBuffer>} library
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
async function withFiles({ config, global }, module, library, action) {
  const { fetch } = global;
  const { instantiate, instantiateStreaming } = global.WebAssembly;
  /** @type {(error: unknown) => void} */ let fail = () => {};
  const failed = new Promise((/** @type {(value: never) => void} */ _, reject) => {
    fail = reject;
  });
  const wasm = Promise.resolve(new Response());
  global.fetch = (input, init) => {
    const path = new URL(input instanceof Request ? input.url : input, import.meta.url).pathname;
    if (path === config.pyodide_url + WASM) {
      return wasm;
    }
    return path === config.pyodide_url + LIBRARY
      ? Promise.resolve(new Response(library))
      : fetch.call(global, input, init);
  };
  /** @type {typeof WebAssembly.instantiateStreaming} */
  function instantiateCompiled(source, imports) {
    if (source !== wasm) {
      // A start before this one has failed, and its Emscripten has still come so far.
      return instantiateStreaming.call(global.WebAssembly, source, imports);
    }
    const instantiated = module.then(async (compiled) => ({
      module: compiled,
      instance: await instantiate.call(global.WebAssembly, compiled, imports),
    }));
    instantiated.catch(fail);
    return instantiated;
  }
  global.WebAssembly.instantiateStreaming = instantiateCompiled;
  module.catch(fail);
  try {
    return await Promise.race([action(), failed]);
  } finally {
    global.fetch = fetch;
    global.WebAssembly.instantiateStreaming = instantiateStreaming;
  }
}
