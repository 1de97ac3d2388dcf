/**
 * Files of Pyodide's file system that are there at once, and are fetched when somebody reads them.
 *
 * An interpreter that was restored from a snapshot has what it needs in its memory. Its library and
 * its packages are read only for what it imports later and for the lines of a traceback.
 */

/**
 * @typedef {object} LazyFileSystem what is used of Emscripten's FS (MEMFS)
 * @property {(path: string) => void} mkdirTree
 * @property {(path: string, bytes: Uint8Array) => void} writeFile
 * @property {(path: string) => {node: any}} lookupPath
 * @property {new (errno: number) => Error} ErrnoError
 */

/** EIO in WASI's numbering, which Emscripten uses. */
const INPUT_OUTPUT_ERROR = 29;

/**
 * @param {LazyFileSystem} fs
 * @param {string} path absolute
 * @param {number} bytes its size
 * @param {() => Uint8Array} read called once, at the first access; synchronous, as reading is
 */
export function addLazyFile(fs, path, bytes, read) {
  fs.mkdirTree(path.slice(0, path.lastIndexOf("/")) || "/");
  fs.writeFile(path, new Uint8Array(0));
  const { node } = fs.lookupPath(path);
  const settle = (/** @type {Uint8Array} */ value) =>
    Object.defineProperty(node, "contents", { value, writable: true, configurable: true });
  Object.defineProperty(node, "contents", {
    configurable: true,
    get() {
      try {
        settle(read());
      } catch {
        // Anything else that is thrown here would end the interpreter.
        throw new fs.ErrnoError(INPUT_OUTPUT_ERROR);
      }
      return node.contents;
    },
    set: settle,
  });
  node.usedBytes = bytes;
}

/**
 * Fetch a file while everything in this thread waits for it.
 * @param {string} url
 * @param {typeof XMLHttpRequest} [Request]
 * @returns {Uint8Array}
 * @throws {Error} it could not be fetched
 */
export function fetchNow(url, Request = globalThis.XMLHttpRequest) {
  const request = new Request();
  request.open("GET", url, false);
  // A document may not ask for bytes when it waits (XMLHttpRequest standard); this charset gives
  // every byte as a character of its own.
  request.overrideMimeType("text/plain; charset=x-user-defined");
  request.send();
  if (request.status !== 200) {
    throw new Error(`${url} could not be fetched: HTTP ${request.status}`);
  }
  const text = request.responseText;
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) {
    bytes[index] = text.charCodeAt(index) & 0xff;
  }
  return bytes;
}

/**
 * A function that does something at its first call, and gives the same answer at every other.
 * @template T
 * @param {() => T} make
 * @returns {() => T}
 */
export function once(make) {
  /** @type {{value: T} | null} */ let made = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
