/** The server's part of a game in lockstep, for remote games that share one process. */

/**
 * @import { Connection } from "../../../static/js/connection.js"
 * @import { Game, StepActions } from "../../../static/js/protocol.js"
 * @import { RemoteGame } from "../../../static/js/pyodide_remote_game.js"
 */

const DELAY = 3;

export class FakeGameServer {
  /** @type {(RemoteGame | null)[]} connected pages by seat */ pages;
  /** @type {StepActions[]} */ steps;
  /** @type {number[][]} actions that have no step yet, by seat */ #pending;
  /** @type {boolean[]} */ #ready;
  /** @type {{seat: number, frame: number, hash: string, result?: object}[]} */ hashes = [];
  /** @type {{seat: number, frame: number, traceback: string}[]} */ failures = [];
  started = false;
  running = false;

  /** @param {number} players */
  constructor(players) {
    this.pages = Array(players).fill(null);
    this.steps = Array.from({ length: DELAY }, () => Array(players).fill(0));
    this.#pending = Array.from({ length: players }, () => []);
    this.#ready = Array(players).fill(false);
  }

  /**
   * What a page is told when it connects.
   * @param {number} seat
   * @param {number} last_frame
   * @returns {Game}
   */
  game(seat, last_frame) {
    return {
      game_id: "g_1",
      players: this.pages.map((_, index) => `player_${index}`),
      you: `player_${seat}`,
      seed: 7,
      input_delay_frames: DELAY,
      started: this.started,
      paused: this.started && !this.running,
      from_frame: last_frame,
      actions: this.steps.slice(last_frame),
      next_frame: this.#expected(seat),
    };
  }

  /**
   * The connection of a page.
   * @param {number} seat
   * @returns {Pick<Connection, "request" | "send" | "restart">}
   */
  connection(seat) {
    return {
      request: async (event, payload) => {
        this.#hear(seat, event, payload);
        return { ok: true };
      },
      send: (event, payload) => {
        if (this.pages[seat] === null) {
          return false;
        }
        this.#hear(seat, event, payload);
        return true;
      },
      restart: () => assert_never("a gap in the frames"),
    };
  }

  /**
   * A page has lost its connection.
   * @param {number} seat
   */
  lose(seat) {
    this.pages[seat]?.connectionLost();
    this.pages[seat] = null;
    this.#ready[seat] = false;
    this.running = false;
    for (const page of this.pages) {
      page?.hold();
    }
  }

  /**
   * @param {number} seat
   * @param {string} event
   * @param {any} payload
   */
  #hear(seat, event, payload) {
    if (event === "player_ready") {
      this.#ready[seat] = true;
      if (this.#ready.every(Boolean)) {
        this.started = true;
        this.running = true;
        for (const page of this.pages) {
          page?.run();
        }
      }
    } else if (event === "player_action") {
      this.#act(seat, payload);
    } else if (event === "game_state_hash") {
      this.hashes.push({ seat, ...payload });
    } else if (event === "environment_failed") {
      this.failures.push({ seat, ...payload });
    }
  }

  /**
   * @param {number} seat
   * @param {{frame: number, action: number}} message
   */
  #act(seat, { frame, action }) {
    const expected = this.#expected(seat);
    if (frame < expected) {
      return;
    }
    if (frame > expected) {
      assert_never(`frame ${frame} instead of ${expected}`);
    }
    this.#pending[seat].push(action);
    while (this.#pending.every((actions) => actions.length > 0)) {
      const from_frame = this.steps.length;
      this.steps.push(this.#pending.map((actions) => Number(actions.shift())));
      for (const page of this.pages) {
        page?.deliver({ game_id: "g_1", from_frame, actions: this.steps.slice(from_frame) });
      }
    }
  }

  /** @param {number} seat */
  #expected(seat) {
    return this.steps.length - DELAY + this.#pending[seat].length;
  }
}

/**
 * @param {string} what
 * @returns {never}
 */
function assert_never(what) {
  throw new Error(`must not happen: ${what}`);
}
