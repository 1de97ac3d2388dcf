/** Pages in a game, with everything around `RemoteGame` made by hand. */

import { EventLog } from "../../../static/js/event_log.js";
import { RemoteGame } from "../../../static/js/pyodide_remote_game.js";
import { FakeConnection } from "./fake_connection.js";
import { FakeGameServer } from "./fake_game_server.js";
import { FakePython } from "./fake_python.js";
import { FakeTicker } from "./fake_ticker.js";
import { ManualTime, settled } from "./manual_time.js";

/**
 * @import { GameScene, MatchedGame } from "../../../static/js/protocol.js"
 * @import { GameParts } from "../../../static/js/pyodide_remote_game.js"
 */

/** @type {GameScene} */
export const SCENE = {
  scene_id: "match",
  kind: "game",
  title: "The match",
  html: "",
  environment_url: "/study/match/environment.py",
  players: 2,
  steps_per_s: 10,
  width: 600,
  height: 400,
  controls: [],
  config: {},
  done: false,
};

/** @type {MatchedGame} */
export const GAME = {
  game_id: "g_1",
  players: ["player_0", "player_1"],
  you: "player_0",
  seed: 7,
  input_delay_frames: 3,
};

/**
 * One page in a game.
 * @param {Partial<GameParts>} parts
 * @param {number} [length] steps of an episode
 */
export function makePage(parts, length = 40) {
  const python = new FakePython(length);
  const ticker = new FakeTicker();
  /** @type {string[]} */ const phases = [];
  let pressed = 0;
  const game = new RemoteGame({
    scene: SCENE,
    game: GAME,
    loading: { load: async () => {} },
    python,
    connection: new FakeConnection(),
    ticker,
    input: {
      start: () => {},
      stop: () => {},
      sample: () => {
        pressed += 1;
        return pressed % 8;
      },
    },
    view: {
      isSeen: () => true,
      draw: () => {},
      showFrame: () => {},
      showPhase: (phase) => void phases.push(phase),
    },
    log: new EventLog(new ManualTime()),
    nextTask: settled,
    ...parts,
  });
  return { game, python, ticker, phases };
}

/** Two pages that have begun to play. */
export async function play() {
  const server = new FakeGameServer(2);
  const pages = [0, 1].map((seat) => {
    const page = makePage({ connection: server.connection(seat) });
    server.pages[seat] = page.game;
    return page;
  });
  for (const { game } of pages) {
    await game.initialize();
  }
  return { server, pages };
}

/**
 * @param {{ticker: FakeTicker}[]} pages
 * @param {number} ticks
 */
export async function tick(pages, ticks) {
  for (let count = 0; count < ticks; count += 1) {
    for (const { ticker } of pages) {
      await ticker.tick();
    }
  }
}
