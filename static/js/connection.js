/**
 * The page's hold on its session: one Socket.IO connection after another, as one lasting thing.
 *
 * Every attempt makes a new socket. So nothing of an old one can come back later: neither its
 * events nor its offline buffer, which socket.io-client would send before its `connect` event.
 * A connection counts as open from `session_opened` on, its first event.
 */

import { ERROR_CODES, SERVER_EVENTS } from "./protocol.js";
import { Reconnector } from "./reconnector.js";
import { Requests } from "./requests.js";
import { ServerWatch } from "./server_watch.js";
import { SessionSocket } from "./session_socket.js";

/**
 * @import { Random, Time } from "./environment.js"
 * @import { EventLog } from "./event_log.js"
 * @import { Accepted, ConnectAuth, EndScene, ServerPayloads, SessionOpened } from "./protocol.js"
 * @import { WireError } from "./protocol.js"
 * @import { RequestOptions } from "./requests.js"
 * @import { OpenSocket } from "./socket_io.js"
 */

/** Codes after which trying again is pointless. */
const FINAL_CODES = new Set(
  /** @type {string[]} */ ([
    ERROR_CODES.SESSION_EXPIRED,
    ERROR_CODES.SESSION_OVER,
    ERROR_CODES.SESSION_TAKEN_OVER,
    ERROR_CODES.INVALID_AUTH,
    ERROR_CODES.UNKNOWN_STUDY,
  ]),
);

/** Server events that go into the event log as they came: they are few, and hold no credential. */
const RECORDED = new Set(
  /** @type {string[]} */ ([
    SERVER_EVENTS.WAITING_ROOM,
    SERVER_EVENTS.GAME_MATCHED,
    SERVER_EVENTS.GAME_STARTED,
    SERVER_EVENTS.GAME_PAUSED,
    SERVER_EVENTS.GAME_RESUMED,
    SERVER_EVENTS.GAME_ENDED,
    SERVER_EVENTS.PARTNER_STATUS,
  ]),
);

/** @typedef {"connecting" | "connected" | "lost" | "taken_over" | "over"} LinkStatus */

export class Connection {
  /** @type {() => SessionSocket} */ #makeSocket;
  /** @type {EventLog} */ #log;
  /** @type {(status: LinkStatus, code?: string) => void} */ #onStatus;
  /** What the study ended with, where the server told it with a refusal.
   * @type {EndScene | null} */
  endScene = null;
  /** @type {Reconnector} */ #reconnector;
  /** @type {Requests} */ #requests;
  /** @type {ServerWatch} */ #watch;
  /** @type {Map<string, (payload: any) => void>} */ #handlers = new Map();
  /** @type {SessionSocket | null} */ #socket = null;
  /** @type {LinkStatus} */ #status = "connecting";

  /**
   * @param {object} parts
   * @param {OpenSocket} parts.openSocket
   * @param {() => ConnectAuth} parts.auth asked at every CONNECT
   * @param {Time} parts.time
   * @param {Random} parts.random
   * @param {EventLog} parts.log
   * @param {() => boolean} parts.isLoading whether the page loads Python, which may freeze it; its
   *   end is told by `loadEnded`
   * @param {(status: LinkStatus, code?: string) => void} parts.onStatus told of every change;
   *   `code` says why it is over
   */
  constructor({ openSocket, auth, time, random, log, isLoading, onStatus }) {
    this.#log = log;
    this.#onStatus = onStatus;
    const listener = {
      opened: this.#opened.bind(this),
      received: this.#received.bind(this),
      heartbeat: this.#heartbeat.bind(this),
      failed: this.#refused.bind(this),
      lost: this.#lost.bind(this),
    };
    this.#makeSocket = () => new SessionSocket({ openSocket, auth, time, listener });
    this.#reconnector = new Reconnector({ time, random, connect: () => this.#attempt() });
    this.#watch = new ServerWatch({
      time,
      isLoading,
      onSilence: () => this.restart("no heartbeat"),
    });
    this.#requests = new Requests({
      time,
      emit: (event, payload, acknowledge) => this.#socket?.emit(event, payload, acknowledge),
      onRefused: (event, error) => this.#requestRefused(event, error),
    });
  }

  get status() {
    return this.#status;
  }

  /** Whether nothing more can be said in this session. */
  get ended() {
    return this.#status === "over" || this.#status === "taken_over";
  }

  /**
   * Handle a server event; one handler an event. It is called only while the session is open.
   * @template {keyof ServerPayloads} E
   * @param {E} event
   * @param {(payload: ServerPayloads[E]) => void} handler
   */
  on(event, handler) {
    this.#handlers.set(event, handler);
  }

  /** Connect for the first time. */
  start() {
    this.#attempt();
  }

  /** Try now if an attempt is due later. */
  hurry() {
    this.#reconnector.hurry();
  }

  /** A load of Python ended, well or not: heartbeats count again, from the last one on. */
  loadEnded() {
    this.#watch.loadEnded();
  }

  /**
   * Give up the open connection and make a new one, which brings what was missed.
   * @param {string} reason for the event log
   */
  restart(reason) {
    if (this.#status === "connected") {
      this.#socket?.discard();
      this.#lost(reason);
    }
  }

  /**
   * End for good: the participant left.
   * @param {string} code why it is over
   */
  close(code) {
    this.#end("over", code);
  }

  /**
   * Say something that must arrive, at least once: see `Requests.add`, also for the errors.
   * @param {string} event
   * @param {object} payload
   * @param {RequestOptions} [options]
   * @returns {Promise<Accepted>} the acknowledgement
   */
  request(event, payload, options = {}) {
    return this.#requests.add(event, payload, options);
  }

  /**
   * Say something that is worth nothing later. It is not `volatile`, which would drop the second of
   * two messages of one turn.
   * @param {string} event
   * @param {object} payload
   * @returns {boolean} whether it was handed to an open connection
   */
  send(event, payload) {
    if (!this.#socket?.isOpen) {
      return false;
    }
    this.#socket.emit(event, payload);
    return true;
  }

  #attempt() {
    this.#log.record("connecting");
    this.#socket = this.#makeSocket();
  }

  /**
   * @param {SessionOpened} session
   * @param {number} ping_interval_ms
   */
  #opened({ session_id, epoch, resumed, heartbeat_timeout_s }, ping_interval_ms) {
    this.#reconnector.opened();
    this.#watch.start(heartbeat_timeout_s);
    this.#log.record("connection_opened", { session_id, epoch, resumed, ping_interval_ms });
    this.#setStatus("connected");
    this.#requests.opened();
  }

  #heartbeat() {
    this.#log.record("heartbeat_seen");
    this.#watch.heard();
  }

  /**
   * @param {string} event
   * @param {any} payload
   */
  #received(event, payload) {
    if (event === SERVER_EVENTS.SESSION_TAKEN_OVER) {
      this.#end("taken_over", ERROR_CODES.SESSION_TAKEN_OVER);
    } else if (this.#status === "connected") {
      if (RECORDED.has(event)) {
        this.#log.record(event, payload);
      }
      this.#handlers.get(event)?.(payload);
    } else {
      this.#log.record("event_ignored", { name: event });
    }
  }

  /**
   * An attempt failed.
   * @param {string | undefined} code
   * @param {string} message
   * @param {EndScene} [end]
   */
  #refused(code, message, end) {
    this.#log.record("connection_refused", { code, message });
    this.endScene = end ?? null;
    if (code !== undefined && FINAL_CODES.has(code)) {
      this.#end(code === ERROR_CODES.SESSION_TAKEN_OVER ? "taken_over" : "over", code);
    } else {
      this.#reconnector.failed();
    }
  }

  /** @param {string} reason */
  #lost(reason) {
    this.#watch.stop();
    this.#log.record("connection_lost", { reason });
    this.#setStatus("lost");
    this.#requests.lost();
    this.#reconnector.lost();
  }

  /**
   * @param {string} event
   * @param {WireError} error
   */
  #requestRefused(event, error) {
    this.#log.record("request_refused", { name: event, ...error });
    if (error.code === ERROR_CODES.SESSION_OVER) {
      this.#end("over", error.code);
    } else if (error.code === ERROR_CODES.SESSION_TAKEN_OVER) {
      this.#end("taken_over", error.code);
    }
  }

  /**
   * @param {"over" | "taken_over"} status
   * @param {string} code
   */
  #end(status, code) {
    if (this.ended) {
      return;
    }
    this.#reconnector.stop();
    this.#watch.stop();
    this.#socket?.discard();
    this.#log.record("session_ended", { status, code });
    this.#setStatus(status, code);
    this.#requests.end();
  }

  /**
   * @param {LinkStatus} status
   * @param {string} [code]
   */
  #setStatus(status, code) {
    if (status !== this.#status) {
      this.#status = status;
      this.#onStatus(status, code);
    }
  }
}
