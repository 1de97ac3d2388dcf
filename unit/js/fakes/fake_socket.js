/** A server's end of socket.io-client sockets, moved by hand. */

/** @import { ClientSocket, SocketOptions } from "../../../static/js/socket_io.js" */

/** @implements {ClientSocket} */
export class FakeSocket {
  connected = false;
  closed = false;
  /** @type {{event: string, payload: any, acknowledge?: (answer: any) => void}[]} */ sent = [];
  /** @type {object | null} what CONNECT carried */ auth = null;
  /** @type {Map<string, (detail: any) => void>} */ #handlers = new Map();
  /** @type {(event: string, payload: any) => void} */ #onAny = () => {};
  /** @type {SocketOptions} */ options;
  #onPing = () => {};
  /** @type {(handshake: {pingInterval: number}) => void} */ #onHandshake = () => {};

  io = {
    on: (/** @type {"ping"} */ _event, /** @type {() => void} */ fn) => {
      this.#onPing = fn;
    },
    engine: {
      on: (
        /** @type {"handshake"} */ _event,
        /** @type {(handshake: {pingInterval: number}) => void} */ fn,
      ) => {
        this.#onHandshake = fn;
      },
    },
  };

  /** @param {SocketOptions} options */
  constructor(options) {
    this.options = options;
  }

  /**
   * @param {string} event
   * @param {(detail: any) => void} fn
   */
  on(event, fn) {
    this.#handlers.set(event, fn);
  }

  /** @param {(event: string, payload: any) => void} fn */
  onAny(fn) {
    this.#onAny = fn;
  }

  /**
   * @param {string} event
   * @param {object} payload
   * @param {(answer: any) => void} [acknowledge]
   */
  emit(event, payload, acknowledge) {
    this.sent.push({ event, payload, acknowledge });
  }

  disconnect() {
    this.closed = true;
    this.connected = false;
  }

  /** The WebSocket is open, and CONNECT is sent. */
  handshake(pingInterval = 8000) {
    this.#onHandshake({ pingInterval });
    this.options.auth((auth) => {
      this.auth = auth;
    });
  }

  /** The server accepts: `session_opened` arrives. */
  open(session = {}) {
    this.handshake();
    this.connected = true;
    this.receive("session_opened", { session_id: "s_1", epoch: 1, resumed: false, ...session });
  }

  /**
   * The server refuses the CONNECT.
   * @param {string} code
   */
  refuse(code) {
    this.handshake();
    this.#handlers.get("connect_error")?.({ message: "refused", data: { code } });
  }

  /** The WebSocket could not be opened. */
  fail() {
    this.#handlers.get("connect_error")?.(new Error("websocket error"));
  }

  /** The connection is lost. */
  lose(reason = "transport close") {
    this.connected = false;
    this.#handlers.get("disconnect")?.(reason);
  }

  /**
   * @param {string} event
   * @param {any} payload
   */
  receive(event, payload) {
    this.#onAny(event, payload);
  }

  ping() {
    this.#onPing();
  }

  /** The names of what was sent, in order. */
  get events() {
    return this.sent.map(({ event }) => event);
  }

  /**
   * Acknowledge the latest message of a name.
   * @param {string} event
   * @param {object} [answer]
   */
  acknowledge(event, answer = { ok: true }) {
    this.sent.findLast((message) => message.event === event)?.acknowledge?.(answer);
  }
}

/** Keeps every socket that is opened. */
export class FakeNetwork {
  /** @type {FakeSocket[]} */ sockets = [];

  /** @param {SocketOptions} options */
  openSocket = (options) => {
    const socket = new FakeSocket(options);
    this.sockets.push(socket);
    return socket;
  };

  /** The socket of the latest attempt. */
  get latest() {
    return /** @type {FakeSocket} */ (this.sockets.at(-1));
  }
}
