/**
 * One attempt at a connection: a socket of its own, from the WebSocket's opening to its end.
 *
 * Once it has failed, was lost or was let go, nothing more is heard of it.
 */

import { SERVER_EVENTS } from "./protocol.js";

/**
 * @import { Time } from "./environment.js"
 * @import { Acknowledgement, ConnectAuth, EndScene, SessionOpened } from "./protocol.js"
 * @import { ClientSocket, ConnectError, OpenSocket } from "./socket_io.js"
 */

/** How long it may take until `session_opened`. */
const OPEN_TIMEOUT_MS = 10_000;
/** How much longer when that time is over: a page that was frozen runs its timers before the
 * messages that have been waiting. */
export const LATE_MESSAGES_MS = 1_000;

/**
 * @typedef {object} SocketListener
 * @property {(session: SessionOpened, ping_interval_ms: number) => void} opened `session_opened`
 *   has come; it is received as an event, too
 * @property {(event: string, payload: any) => void} received
 * @property {() => void} heartbeat a heartbeat of the server was answered
 * @property {(code: string | undefined, message: string, end?: EndScene) => void} failed it was
 *   refused, or could not be opened in time; `end` is the end of a study that was finished
 * @property {(reason: string) => void} lost after it was opened
 */

export class SessionSocket {
  /** @type {ClientSocket} */ #socket;
  /** @type {Time} */ #time;
  /** @type {SocketListener | null} null once it is over */ #listener;
  /** @type {unknown} */ #timer;
  #ping_interval_ms = 0;
  #open = false;

  /**
   * @param {object} parts
   * @param {OpenSocket} parts.openSocket
   * @param {() => ConnectAuth} parts.auth asked when CONNECT is sent
   * @param {Time} parts.time
   * @param {SocketListener} parts.listener
   */
  constructor({ openSocket, auth, time, listener }) {
    this.#time = time;
    this.#listener = listener;
    this.#socket = openSocket({
      transports: ["websocket"],
      reconnection: false,
      forceNew: true,
      timeout: OPEN_TIMEOUT_MS,
      auth: (give) => give(auth()),
    });
    this.#listen();
    this.#timer = time.setTimeout(() => {
      const late = () => this.#fail(undefined, "no session_opened in time");
      this.#timer = time.setTimeout(late, LATE_MESSAGES_MS);
    }, OPEN_TIMEOUT_MS);
  }

  /** Whether something can be said on it. */
  get isOpen() {
    return this.#open && this.#socket.connected;
  }

  /**
   * @param {string} event
   * @param {object} payload
   * @param {(answer: Acknowledgement) => void} [acknowledge]
   */
  emit(event, payload, acknowledge) {
    this.#socket.emit(event, payload, ...(acknowledge ? [acknowledge] : []));
  }

  /** Let it go; what it still says is not heard. */
  discard() {
    this.#listener = null;
    this.#open = false;
    this.#time.clearTimeout(this.#timer);
    this.#socket.disconnect();
  }

  #listen() {
    const socket = this.#socket;
    socket.io.engine.on("handshake", ({ pingInterval }) => {
      this.#ping_interval_ms = pingInterval;
    });
    socket.io.on("ping", () => this.#listener?.heartbeat());
    socket.on("connect_error", (/** @type {ConnectError} */ error) =>
      this.#fail(error.data?.code, error.data?.message ?? error.message, error.data?.scene),
    );
    socket.on("disconnect", (/** @type {string} */ reason) => this.#lose(reason));
    socket.onAny((event, payload) => {
      if (event === SERVER_EVENTS.SESSION_OPENED && this.#listener) {
        this.#open = true;
        this.#time.clearTimeout(this.#timer);
        this.#listener.opened(payload, this.#ping_interval_ms);
      }
      this.#listener?.received(event, payload);
    });
  }

  /** @param {string} reason */
  #lose(reason) {
    if (!this.#open) {
      this.#fail(undefined, reason);
      return;
    }
    const listener = this.#listener;
    this.discard();
    listener?.lost(reason);
  }

  /**
   * @param {string | undefined} code
   * @param {string} message
   * @param {EndScene} [end]
   */
  #fail(code, message, end) {
    const listener = this.#listener;
    this.discard();
    listener?.failed(code, message, end);
  }
}
