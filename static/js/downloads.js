/** Fetches files and counts the bytes that have arrived, of all that are expected. */

import { delay } from "./environment.js";
import { GraceError } from "./errors.js";

/**
 * @import { Time } from "./environment.js"
 * @import { LoadProgress } from "./python.js"
 */

/** Progress is told when this part of everything has arrived since it was last told. */
const SMALLEST_STEP = 0.01;
/** A file of which nothing more arrives for so many seconds is given up; a slow one is not. */
const STALL_TICKS = 20;
const TICK_MS = 1_000;

export class Downloads {
  /** @type {(url: string) => Promise<Response>} */ #fetch;
  /** @type {Time} */ #time;
  /** @type {(progress: LoadProgress) => void} */ onProgress = () => {};
  #received_bytes = 0;
  #total_bytes = 0;
  #told_bytes = 0;

  /**
   * @param {(url: string) => Promise<Response>} fetch
   * @param {Time} time
   */
  constructor(fetch, time) {
    this.#fetch = fetch;
    this.#time = time;
  }

  /** @returns {LoadProgress} */
  get progress() {
    return { received_bytes: this.#received_bytes, total_bytes: this.#total_bytes };
  }

  /**
   * @param {string} url
   * @param {number} expected_bytes its size, not compressed
   * @returns {Promise<Uint8Array<ArrayBuffer>>}
   * @throws {GraceError} with the address in its message
   */
  async bytes(url, expected_bytes) {
    this.#expect(expected_bytes);
    const response = await this.#get(url);
    let bytes = new Uint8Array(expected_bytes);
    let length = 0;
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
    try {
      const next = () => this.#unlessStalled(reader.read());
      for (let part = await next(); !part.done; part = await next()) {
        if (length + part.value.length > bytes.length) {
          const more = new Uint8Array(2 * (length + part.value.length));
          more.set(bytes.subarray(0, length));
          bytes = more;
        }
        bytes.set(part.value, length);
        length += part.value.length;
        this.#arrived(part.value.length);
      }
    } catch (error) {
      // A browser has few connections, and whoever asks again would wait for this one.
      reader.cancel().catch(() => {});
      throw new GraceError(`${url} could not be fetched: ${error}`);
    }
    return bytes.subarray(0, length);
  }

  /**
   * A file as it comes from the network, for somebody else to read: a browser keeps the compiled
   * code of WebAssembly only with a response that nobody has touched.
   * @param {string} url
   * @param {number} expected_bytes
   * @returns {{response: Promise<Response>, read: () => void}} `read` is to be called once all of
   *   it was read: it counts only then
   */
  response(url, expected_bytes) {
    this.#expect(expected_bytes);
    return { response: this.#get(url), read: () => this.#arrived(expected_bytes) };
  }

  /**
   * @param {string} url of something small, which is not counted
   * @returns {Promise<string>}
   * @throws {GraceError} with the address in its message
   */
  async text(url) {
    const response = await this.#get(url);
    try {
      return await this.#unlessStalled(response.text());
    } catch (error) {
      throw new GraceError(`${url} could not be fetched: ${error}`);
    }
  }

  /**
   * @param {string} url
   * @returns {Promise<Response>} one that succeeded
   * @throws {GraceError}
   */
  async #get(url) {
    /** @type {Response} */ let response;
    try {
      response = await this.#unlessStalled(this.#fetch(url));
    } catch (error) {
      throw new GraceError(`${url} could not be fetched: ${error}`);
    }
    if (!response.ok) {
      throw new GraceError(`${url} could not be fetched: HTTP ${response.status}`);
    }
    return response;
  }

  /**
   * @template T
   * @param {Promise<T>} arriving
   * @returns {Promise<T>}
   */
  async #unlessStalled(arriving) {
    let isHere = false;
    const stalled = async () => {
      // Counted and not measured: while the thread is blocked, nothing can be seen to arrive.
      for (let tick = 0; tick < STALL_TICKS && !isHere; tick += 1) {
        await delay(this.#time, TICK_MS);
      }
      if (!isHere) {
        throw new GraceError(`nothing arrived for ${STALL_TICKS} s`);
      }
      return arriving;
    };
    try {
      return await Promise.race([arriving, stalled()]);
    } finally {
      isHere = true;
    }
  }

  /** @param {number} bytes */
  #expect(bytes) {
    this.#total_bytes += bytes;
  }

  /** @param {number} bytes */
  #arrived(bytes) {
    this.#received_bytes = Math.min(this.#received_bytes + bytes, this.#total_bytes);
    const untold_bytes = this.#received_bytes - this.#told_bytes;
    const isWorthIt = untold_bytes >= SMALLEST_STEP * this.#total_bytes;
    if (isWorthIt || this.#received_bytes === this.#total_bytes) {
      this.#told_bytes = this.#received_bytes;
      this.onProgress(this.progress);
    }
  }
}
