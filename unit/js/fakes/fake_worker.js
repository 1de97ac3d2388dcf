/** A worker of Python, and the locks that it holds. */

/** @import { Call } from "../../../static/js/python_worker.js" */

export class FakeWorker {
  /** @type {((event: any) => void) | null} */ onmessage = null;
  /** @type {((event: any) => void) | null} */ onerror = null;
  /** @type {any[]} */ messages = [];
  terminated = false;

  /** @param {unknown} message */
  postMessage(message) {
    this.messages.push(message);
  }

  terminate() {
    this.terminated = true;
  }

  /** @param {object} data what it says */
  say(data) {
    this.onmessage?.({ data });
  }

  /** The calls that the page has made. @returns {Call[]} */
  get calls() {
    return this.messages.filter((message) => "call" in message);
  }

  /**
   * @param {string} name of the latest call, which is answered
   * @param {object} answer
   */
  answer(name, answer) {
    const call = this.calls.findLast((one) => one.call === name);
    this.say({ id: call?.id, ...answer });
  }
}

export class FakeLocks {
  /** @type {(() => unknown)[]} who waits for the worker's lock */ #waiting = [];

  /**
   * @param {string} _name
   * @param {any} granted
   */
  async request(_name, granted) {
    this.#waiting.push(granted);
  }

  /** The worker has ended, and with it its hold on the lock. */
  release() {
    for (const granted of this.#waiting) {
      granted();
    }
  }
}
