/** A server of files, and modules of Pyodide that start a fake interpreter. */

import { FakeInterpreter } from "./fake_interpreter.js";

const PYODIDE = "/static/aaaa/";

/** @type {import("../../../static/js/python.js").PythonConfig} */
export const CONFIG = Object.freeze({
  runtime: "worker",
  pyodide_url: PYODIDE,
  runner_url: "/static/bbbb/py/grace_runner.py",
  bytes: { "pyodide.asm.wasm": 4, "python_stdlib.zip": 4 },
  lock_info: { version: "314.0.7" },
  snapshot: null,
  packages: null,
  wheels: [],
  distribution: null,
});

export class FakeFiles {
  /** Contents by address; any other address has the text `file`.
   * @type {Map<string, string | Uint8Array<ArrayBuffer>>} */
  contents = new Map();
  /** @type {Set<string>} addresses that are not there */ missing = new Set();
  /** @type {string[]} */ asked = [];
  interpreter = new FakeInterpreter();
  /** What Pyodide was started with. @type {Record<string, any>[]} */ starts = [];
  /** What Pyodide asked for by itself, and was given. @type {Record<string, string>} */ given = {};
  /** @type {Error | null} what the next start raises */ failure = null;
  hangs = false;
  /** @type {Error | null} why the WebAssembly cannot be compiled */ wasmFailure = null;
  /** @type {Error | null} why it cannot be instantiated */ instantiateFailure = null;
  compilations = 0;
  /** Where Pyodide looks these up. */
  global = {
    fetch: /** @type {typeof fetch} */ (() => Promise.reject(new Error("unexpected"))),
    WebAssembly: {
      compileStreaming: async (/** @type {any} */ source) => {
        this.compilations += 1;
        const response = await source;
        if (this.wasmFailure) {
          throw this.wasmFailure;
        }
        return /** @type {any} */ (await response.text());
      },
      instantiate: async (/** @type {any} */ module, /** @type {any} */ imports) => {
        if (this.instantiateFailure) {
          throw this.instantiateFailure;
        }
        return /** @type {any} */ (`${module} with ${imports}`);
      },
      instantiateStreaming: /** @type {typeof WebAssembly.instantiateStreaming} */ (
        () => Promise.reject(new Error("unexpected"))
      ),
    },
  };

  fetch = async (/** @type {string} */ url) => {
    this.asked.push(url);
    return this.missing.has(url)
      ? new Response("", { status: 404 })
      : new Response(this.contents.get(url) ?? "file");
  };

  importModule = async (/** @type {string} */ url) => {
    this.asked.push(url);
    if (this.missing.has(url)) {
      throw new TypeError("Failed to fetch dynamically imported module");
    }
    return { loadPyodide: this.#loadPyodide, default: "core" };
  };

  #loadPyodide = async (/** @type {Record<string, any>} */ options) => {
    this.starts.push(options);
    try {
      const at = `http://localhost${PYODIDE}`;
      const wasm = this.global.fetch(`${at}pyodide.asm.wasm`);
      wasm.catch(() => {}); // Awaited below.
      const library = await this.global.fetch(`${at}python_stdlib.zip`);
      this.given["python_stdlib.zip"] = await library.text();
      const { instantiateStreaming } = this.global.WebAssembly;
      const imports = /** @type {any} */ ("imports");
      /** @type {any} */ const { module, instance } = await instantiateStreaming(wasm, imports);
      Object.assign(this.given, { "pyodide.asm.wasm": module, instance });
    } catch {
      return new Promise(() => {}); // It prints a warning, and waits.
    }
    const failure = this.failure;
    this.failure = null;
    if (failure) {
      throw failure;
    }
    return this.hangs ? new Promise(() => {}) : this.interpreter;
  };
}

export class FakeStore {
  /** @type {Map<string, Uint8Array>} */ kept = new Map();

  /** @param {string} name */
  async read(name) {
    return this.kept.get(name) ?? null;
  }

  /**
   * @param {string} name
   * @param {Uint8Array} bytes
   */
  async write(name, bytes) {
    this.kept.set(name, bytes);
  }

  /** @param {string} name */
  async remove(name) {
    this.kept.delete(name);
  }
}
