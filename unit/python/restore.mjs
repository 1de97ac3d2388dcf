/**
 * Restores snapshots in Node.js as the page does: `node restore.mjs FOLDER QUESTIONS`, in a folder
 * that has Pyodide, the page's modules and `snapshot.pack`. Prints what came of each question.
 *
 * @typedef {object} Question
 * @property {number} [flip] byte of the pack, from its end, that is changed
 * @property {boolean} [other_build] Pyodide's header names another build
 * @property {boolean} [plain] no snapshot is restored
 * @property {string[]} ask Python expressions
 */

import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [, , folder, questions] = process.argv;
const load = (/** @type {string} */ path) => import(pathToFileURL(`${folder}/${path}`).href);
const { loadPyodide } = await load("pyodide/pyodide.mjs");
const { default: createPyodideModule } = await load("pyodide/pyodide.asm.mjs");
const { restoring } = await load("page/snapshot.js");
const info = JSON.parse(await readFile(`${folder}/snapshot.json`, "utf-8"));

const answers = [];
for (const question of JSON.parse(questions)) {
  answers.push(await answer(question).catch((error) => `${error.name}: ${error.message}`));
}
console.log(JSON.stringify(answers));
process.exit(0);

/** @param {Question} question */
async function answer({ flip, other_build = false, plain = false, ask }) {
  const bytes = new Uint8Array(await readFile(`${folder}/snapshot.pack`));
  if (flip !== undefined) {
    bytes[bytes.length - flip] ^= 1;
  }
  const { options } = restoring({ info, bytes: Promise.resolve(bytes), createPyodideModule });
  if (other_build) {
    const create = options.createPyodideModule;
    options.createPyodideModule = async (/** @type {any} */ settings) => {
      const core = await create(settings);
      options._loadSnapshot[20] ^= 1; // The build is in the words 4 to 11.
      return core;
    };
  }
  /** @type {string[]} */ const printed = [];
  const pyodide = await loadPyodide({
    indexURL: `${folder}/pyodide/`,
    stdout: (/** @type {string} */ line) => printed.push(line),
    ...(plain ? {} : options),
  });
  if (!plain) {
    pyodide.runPython("import grace_runner; grace_runner.after_restore()");
  }
  return [...ask.map((text) => String(pyodide.runPython(text))), ...printed];
}
