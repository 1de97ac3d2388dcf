/** A connection whose answers are given by hand. */

import {
  CancelledError,
  ConnectionLostError,
  SessionOverError,
} from "../../../static/js/errors.js";

/**
 * @import { Accepted } from "../../../static/js/protocol.js"
 * @import { RequestOptions } from "../../../static/js/requests.js"
 */

/**
 * @typedef {object} Said
 * @property {string} event
 * @property {any} payload
 * @property {RequestOptions} options
 * @property {(answer: Accepted) => void} resolve
 * @property {(error: Error) => void} reject
 */

export class FakeConnection {
  /** @type {Said[]} requests */ said = [];
  /** @type {{event: string, payload: any}[]} */ sent = [];
  /** @type {string[]} */ restarts = [];
  /** @type {import("../../../static/js/protocol.js").EndScene | null} */ endScene = null;
  /** Whether what is said reaches anybody. */
  open = true;
  /** @type {Set<string>} events that are acknowledged at once */ acknowledged = new Set();

  /**
   * @param {string} event
   * @param {any} payload
   * @param {RequestOptions} [options]
   * @returns {Promise<Accepted>}
   */
  request = (event, payload, options = {}) =>
    new Promise((resolve, reject) => {
      this.said.push({ event, payload, options, resolve, reject });
      options.signal?.addEventListener("abort", () => reject(new CancelledError(event)));
      if (this.acknowledged.has(event)) {
        resolve({ ok: true });
      }
      if (this.open) {
        options.onSent?.();
      }
    });

  /**
   * @param {string} event
   * @param {any} payload
   */
  send = (event, payload) => {
    if (this.open) {
      this.sent.push({ event, payload });
    }
    return this.open;
  };

  /** @param {string} reason */
  restart = (reason) => void this.restarts.push(reason);

  /** The names of the requests, in order. */
  get events() {
    return this.said.map(({ event }) => event);
  }

  /**
   * The latest request of a name.
   * @param {string} event
   */
  latest(event) {
    return /** @type {Said} */ (this.said.findLast((one) => one.event === event));
  }

  /**
   * Acknowledge the latest request of a name.
   * @param {string} event
   * @param {object} [answer]
   */
  acknowledge(event, answer = {}) {
    this.latest(event).resolve({ ok: true, ...answer });
  }

  /** The connection is lost: what is not to be sent again fails. */
  lose() {
    this.open = false;
    for (const { event, options, reject } of this.said) {
      if (options.resend === false) {
        reject(new ConnectionLostError(event));
      }
    }
  }

  /** The connection is back: what was said meanwhile is sent. */
  reopen() {
    this.open = true;
    for (const { options } of this.said) {
      options.onSent?.();
    }
  }

  /** The session is over. */
  end() {
    for (const { event, reject } of this.said) {
      reject(new SessionOverError(event));
    }
  }
}
