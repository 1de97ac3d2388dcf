import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { RefusedError } from "../../static/js/errors.js";
import { GameSceneController } from "../../static/js/game_scene.js";
import { FakeConnection } from "./fakes/fake_connection.js";
import { GAME as MATCHED, SCENE } from "./fakes/game_page.js";
import { ManualTime, settled } from "./fakes/manual_time.js";

/**
 * @import { GameModel } from "../../static/js/game_view.js"
 * @import { Game, GameProgress, MatchedGame } from "../../static/js/protocol.js"
 */

/** @type {Game} */
const GAME = {
  ...MATCHED,
  started: true,
  paused: true,
  from_frame: 0,
  actions: [],
  next_frame: 0,
};

/** A game that writes down what it is told. */
class FakeGame {
  frame = 12;

  /**
   * @param {MatchedGame} game
   * @param {string[]} told
   */
  constructor({ game_id }, told) {
    this.game_id = game_id;
    this.told = told;
  }

  /** @param {GameProgress} [progress] */
  async initialize(progress) {
    this.told.push(progress ? "initialize again" : "initialize");
  }

  async resume() {
    this.told.push("resume");
  }

  async deliver() {
    this.told.push("deliver");
  }

  run() {
    this.told.push("run");
  }

  hold() {
    this.told.push("hold");
  }

  connectionLost() {
    this.told.push("connectionLost");
  }

  end() {
    this.told.push("end");
  }
}

describe("GameSceneController", () => {
  /** @type {FakeConnection} */ let connection;
  /** @type {ManualTime} */ let time;
  /** @type {string[]} everything that happens, in order */ let told;
  /** @type {GameModel} */ let shown;
  /** @type {GameSceneController} */ let controller;

  beforeEach(() => {
    connection = new FakeConnection();
    time = new ManualTime();
    told = [];
    controller = new GameSceneController({
      connection,
      time,
      view: {
        show: (model) => {
          shown = { ...model };
        },
      },
      announce: ({ place }) => (place ? void told.push(place) : undefined),
      preload: () => void told.push("preload"),
      fallBack: () => void told.push("fall back"),
      retry: () => void told.push("retry"),
      makeGame: (game) => /** @type {any} */ (new FakeGame(game, told)),
    });
  });

  it("joins the waiting room first, and preloads only once that is acknowledged", async () => {
    controller.opened(SCENE, "lobby");
    await settled();
    assert.deepEqual(connection.events, ["join_game"]);
    assert.deepEqual(told, ["lobby"]);
    connection.acknowledge("join_game", { place: "waiting" });
    await settled();
    assert.deepEqual(told, ["lobby", "waiting", "preload"]);
  });

  it("falls back once where the preload has failed before", async () => {
    controller.loadingChanged({ state: "failed" });
    await controller.opened(SCENE, "waiting");
    await controller.opened(SCENE, "waiting");
    assert.deepEqual(told, ["waiting", "fall back", "waiting", "preload"]);
  });

  it("leaves it to the participant to try again where Python fails in the scene", async () => {
    await controller.opened(SCENE, "waiting");
    controller.loadingChanged({ state: "failed" });
    await controller.opened(SCENE, "waiting");
    assert.equal(told.includes("fall back"), false);
    controller.retry();
    assert.equal(told.at(-1), "retry");
  });

  it("makes its game ready again when Python is to be loaded again in it", async () => {
    await controller.opened(SCENE, "playing", GAME);
    controller.retry();
    assert.equal(told.at(-1), "initialize");
    assert.equal(told.includes("retry"), false);
  });

  it("asks once, however often it is told that it is in the lobby", async () => {
    controller.opened(SCENE, "lobby");
    controller.opened(SCENE, "lobby");
    await settled();
    assert.deepEqual(connection.events, ["join_game"]);
  });

  it("joins again when the connection was lost before the answer", async () => {
    controller.opened(SCENE, "lobby");
    await settled();
    connection.lose();
    await settled();
    controller.opened(SCENE, "lobby");
    await settled();
    assert.deepEqual(connection.events, ["join_game", "join_game"]);
  });

  it("does not join a game that was played, and offers to go on", async () => {
    controller.opened({ ...SCENE, done: true }, "lobby");
    await settled();
    assert.deepEqual(connection.events, []);
    assert.equal(shown.mayContinue, true);
    assert.equal(told.includes("preload"), false);
  });

  it("says so when the waiting room cannot be joined", async () => {
    controller.opened(SCENE, "lobby");
    const error = { code: "internal_error", message: "the server has a fault" };
    connection.latest("join_game").reject(new RefusedError(error));
    await settled();
    assert.match(String(shown.notice), /the server has a fault/);
  });

  it("stays in the game when the answer to joining comes after the match", async () => {
    controller.opened(SCENE, "lobby");
    controller.matched(GAME);
    connection.acknowledge("join_game", { place: "waiting" });
    await settled();
    assert.equal(told.includes("waiting"), false);
    assert.equal(told.filter((what) => what === "initialize").length, 1);
  });

  it("counts down the time in the waiting room from when it was told", () => {
    controller.waitingRoom({ waiting: 1, needed: 2, seconds_left: 60 });
    assert.equal(shown.room?.until_ms, time.now() + 60_000);
    controller.waitingRoom({ waiting: 1, needed: 2, seconds_left: null });
    assert.equal(shown.room?.until_ms, null);
  });

  it("begins a match once, though it is told twice", () => {
    controller.matched(GAME);
    controller.matched(GAME);
    assert.deepEqual(told, ["playing", "initialize"]);
    assert.equal(controller.frame, 12);
  });

  it("takes up the same game on a new connection", async () => {
    controller.matched(GAME);
    controller.connectionLost();
    await controller.opened(SCENE, "playing", GAME);
    assert.deepEqual(told.slice(1, 4), ["initialize", "connectionLost", "playing"]);
    assert.equal(told.includes("resume"), true);
  });

  it("joins the game that a page before it has begun", async () => {
    await controller.opened(SCENE, "playing", GAME);
    assert.deepEqual(told, ["playing", "initialize again", "preload"]);
  });

  it("says that the game has ended while the page was away", async () => {
    controller.matched(GAME);
    await controller.opened({ ...SCENE, done: true }, "lobby", null);
    assert.equal(told.includes("end"), true);
    assert.match(String(shown.notice), /ended/);
    assert.equal(shown.mayContinue, true);
  });

  it("passes on what concerns its own game, and nothing of another", () => {
    controller.matched(GAME);
    const at = { game_id: "g_1", frame: 3 };
    controller.started(at);
    controller.frameActions({ game_id: "g_1", from_frame: 3, actions: [] });
    controller.paused({ ...at, player: "player_1" });
    controller.started({ ...at, game_id: "g_0" });
    controller.ended({ game_id: "g_0", reason: "completed", place: "lobby" });
    assert.deepEqual(told.slice(2), ["run", "deliver", "hold"]);
  });

  it("shows how a partner is, and until when that can last", () => {
    controller.matched(GAME);
    const status = /** @type {const} */ ({
      game_id: "g_1",
      player: "player_1",
      link: "away",
      runtime: "loading",
      seconds_left: 43,
    });
    controller.partnerStatus(status);
    assert.deepEqual(shown.partners.get("player_1"), {
      ...status,
      until_ms: time.now() + 43_000,
    });
  });

  it("shows the result of a game that is over, and offers to go on", () => {
    controller.matched(GAME);
    const result = { frames: 40, rewards: { player_0: 1, player_1: -1 } };
    controller.ended({ game_id: "g_1", reason: "completed", place: "lobby", result });
    assert.deepEqual(shown.result, result);
    assert.equal(shown.mayContinue, true);
    assert.equal(controller.frame, undefined);
  });

  it("goes back to the waiting room after a game that did not begin", () => {
    controller.matched(GAME);
    controller.ended({ game_id: "g_1", reason: "player_failed", place: "waiting" });
    assert.match(String(shown.notice), /did not begin.*waiting room/);
    assert.equal(shown.mayContinue, false);
    controller.waitingRoom({ waiting: 1, needed: 2, seconds_left: null });
    controller.matched({ ...GAME, game_id: "g_2" });
    assert.equal(shown.notice, null);
    assert.equal(shown.room, null);
  });

  it("ends its game when the scene is left", () => {
    controller.matched(GAME);
    controller.leave();
    assert.equal(told.at(-1), "end");
  });
});
