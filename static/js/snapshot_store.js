/**
 * Keeps the bytes of a snapshot between two visits, in the origin's private file system (WHATWG File
 * System): reading them there is many times faster than having the browser's cache unpack them.
 *
 * It is a cache of a cache: whatever goes wrong (no secure origin, a private window, no room)
 * means that nothing is kept.
 */

const SUFFIX = ".snapshot";

export class SnapshotStore {
  /** @type {Pick<StorageManager, "getDirectory"> | undefined} */ #storage;

  /** @param {Pick<StorageManager, "getDirectory"> | undefined} storage absent on plain http */
  constructor(storage) {
    this.#storage = storage;
  }

  /**
   * @param {string} name
   * @returns {Promise<Uint8Array | null>} null: it is not kept
   */
  async read(name) {
    try {
      const folder = await this.#folder();
      const file = await (await folder.getFileHandle(name + SUFFIX)).getFile();
      return file.size === 0 ? null : new Uint8Array(await file.arrayBuffer());
    } catch {
      return null;
    }
  }

  /**
   * Keep one snapshot, in the place of every other.
   * @param {string} name
   * @param {Uint8Array} bytes
   */
  async write(name, bytes) {
    try {
      const folder = await this.#folder();
      for await (const other of folder.keys()) {
        if (other.endsWith(SUFFIX) && other !== name + SUFFIX) {
          await folder.removeEntry(other);
        }
      }
      const handle = await folder.getFileHandle(name + SUFFIX, { create: true });
      // What is written takes the file's place only when it is closed.
      const file = await handle.createWritable();
      await file.write(/** @type {Uint8Array<ArrayBuffer>} */ (bytes));
      await file.close();
    } catch {
      // The next visit does without.
    }
  }

  /** @param {string} name of one that is of no use */
  async remove(name) {
    try {
      await (await this.#folder()).removeEntry(name + SUFFIX);
    } catch {
      // It was not there.
    }
  }

  async #folder() {
    if (!this.#storage?.getDirectory) {
      throw new Error("there is no private file system");
    }
    return this.#storage.getDirectory();
  }
}
