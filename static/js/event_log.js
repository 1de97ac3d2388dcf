/**
 * What happened on this page, in order: connections, heartbeats, blocks of the main thread, stages
 * of loading. It is what reports are made of, and tests read it as `window.grace.eventLog`.
 */

/** @import { Time } from "./environment.js" */

/** Entries kept; the oldest go first. */
const CAPACITY = 4_000;

/**
 * @typedef {object} EntryHead
 * @property {number} at_ms milliseconds since the epoch
 * @property {string} event past tense or present participle
 *
 * @typedef {EntryHead & Record<string, unknown>} Entry
 */

export class EventLog {
  /** @type {Time} */ #time;
  #capacity;
  /** @type {Entry[]} */ entries = [];
  /** How many entries were let go. */
  dropped = 0;

  /**
   * @param {Time} time
   * @param {number} [capacity] entries kept
   */
  constructor(time, capacity = CAPACITY) {
    this.#time = time;
    this.#capacity = capacity;
  }

  /**
   * @param {string} event
   * @param {Record<string, unknown>} [details] JSON values
   */
  record(event, details = {}) {
    this.entries.push({ ...details, at_ms: this.#time.now(), event });
    if (this.entries.length > this.#capacity) {
      this.entries.shift();
      this.dropped += 1;
    }
  }
}
