import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { RefusedError } from "../../static/js/errors.js";
import { SceneFlow } from "../../static/js/scene_flow.js";
import { FakeConnection } from "./fakes/fake_connection.js";
import { settled } from "./fakes/manual_time.js";

/** @import { EndScene, GameScene, Scene, TextScene } from "../../static/js/protocol.js" */

/** @type {TextScene} */
const TEXT = { scene_id: "welcome", kind: "text", title: "Welcome", html: "", button: "Start" };
const GAME = /** @type {GameScene} */ ({ scene_id: "match", kind: "game", done: false });
/** @type {EndScene} */
const END = { scene_id: "thanks", kind: "end", title: "Thank you", html: "<p>X1</p>" };

/** A connection whose server events are given by hand, too. */
class FakeServer extends FakeConnection {
  /** @type {Map<string, (payload: any) => void>} */ #handlers = new Map();
  /** @type {string[]} */ closes = [];

  /**
   * @param {string} event
   * @param {(payload: any) => void} handler
   */
  on(event, handler) {
    this.#handlers.set(event, handler);
  }

  /** @param {string} code */
  close(code) {
    this.closes.push(code);
  }

  /**
   * @param {string} event
   * @param {object} payload
   */
  tell(event, payload) {
    this.#handlers.get(event)?.(payload);
  }

  /**
   * @param {Scene} scene
   * @param {string} [place]
   */
  openSession(scene, place = "lobby") {
    this.tell("session_opened", { session_id: "s_1", token: "secret", place, scene, game: null });
  }
}

describe("SceneFlow", () => {
  /** @type {FakeServer} */ let server;
  /** @type {string[]} everything that is shown and done, in order */ let told;
  /** @type {Record<string, string>} */ let announced;
  /** @type {{token: string | null, end: EndScene | null}} */ let kept;
  /** @type {SceneFlow} */ let flow;
  /** @type {() => unknown} */ let pressButton;

  beforeEach(() => {
    server = new FakeServer();
    told = [];
    announced = {};
    kept = { token: null, end: null };
    pressButton = () => assert.fail("there is no button");
    flow = new SceneFlow(
      /** @type {any} */ ({
        connection: server,
        store: {
          get end() {
            return kept.end;
          },
          keepToken: (/** @type {string} */ token) => {
            kept.token = token;
          },
          keepEnd: (/** @type {EndScene} */ end) => {
            kept.end = end;
          },
          forget: () => {
            kept = { token: null, end: null };
          },
        },
        view: {
          showLink: (/** @type {string} */ link) => void told.push(`link ${link}`),
          showText: (/** @type {Scene} */ scene, /** @type {() => void} */ onContinue) => {
            told.push(`text ${scene.scene_id}`);
            pressButton = onContinue;
            return { loadingChanged: ({ state = "" }) => void told.push(`loading ${state}`) };
          },
          showGame: () => void told.push("game"),
          showEnd: (/** @type {Scene} */ scene) => void told.push(`end ${scene.scene_id}`),
          offerNewSession: (/** @type {() => void} */ onStartAgain) => {
            told.push("new session offered");
            pressButton = onStartAgain;
          },
          showLeaving: () => void told.push("leaving"),
          showOver: (/** @type {string} */ code, /** @type {() => void} */ onStartAgain) => {
            told.push(`over ${code}`);
            pressButton = onStartAgain;
          },
        },
        announce: (/** @type {object} */ changes) => void Object.assign(announced, changes),
        makeGameScene: (/** @type {GameScene} */ _, /** @type {() => void} */ onContinue) => {
          pressButton = onContinue;
          const controller = {
            opened: () => void told.push("game opened"),
            leave: () => void told.push("game left"),
            connectionLost: () => void told.push("game lost connection"),
            loadingChanged: () => {},
          };
          return { controller, element: null };
        },
        preload: () => void told.push("preload"),
        retry: () => {},
        reload: () => void told.push("reload"),
      }),
    );
  });

  it("shows a text at once, and preloads while it is read", () => {
    server.openSession(TEXT);
    assert.deepEqual(told, ["text welcome", "loading cold", "preload"]);
    assert.equal(kept.token, "secret");
    assert.deepEqual(announced, {
      session: "s_1",
      place: "lobby",
      scene: "welcome",
      game: "none",
    });
  });

  it("leaves the preload of a game scene to the scene, which joins first", () => {
    server.openSession(GAME);
    assert.deepEqual(told, ["game", "game opened"]);
  });

  it("shows a scene once, however often the page connects in it", () => {
    server.openSession(GAME);
    server.openSession(GAME, "waiting");
    assert.deepEqual(told, ["game", "game opened", "game opened"]);
  });

  it("names the scene that its button leaves", async () => {
    server.openSession(TEXT);
    pressButton();
    assert.deepEqual(server.latest("advance_scene").payload, { scene_id: "welcome" });
    server.tell("scene_activated", GAME);
    assert.deepEqual(told.slice(3), ["game", "game opened"]);
    assert.equal(announced.scene, "match");
  });

  it("stays where it is when the server refuses to go on", async () => {
    server.openSession(TEXT);
    pressButton();
    const error = { code: "out_of_turn", message: "not yet" };
    server.latest("advance_scene").reject(new RefusedError(error));
    await settled();
    assert.equal(announced.scene, "welcome");
  });

  it("shows in each scene how Python loads", () => {
    server.openSession(TEXT);
    flow.loadingChanged({ state: "loading" });
    assert.equal(told.at(-1), "loading loading");
  });

  it("keeps the end of the study, and says no more of lost connections", () => {
    server.openSession(GAME, "playing");
    server.tell("scene_activated", END);
    flow.linkChanged("lost");
    flow.linkChanged("over", "session_expired");
    server.openSession(END, "finished");
    flow.linkChanged("over", "session_over");
    assert.deepEqual(told.slice(2), ["game left", "end thanks"]);
    assert.deepEqual(kept.end, END);
    assert.equal(announced.place, "finished");
  });

  it("shows the end again after a reload, when the server has forgotten the session", () => {
    kept.end = END;
    flow.linkChanged("over", "session_expired");
    assert.deepEqual(told, ["link over", "end thanks", "new session offered"]);
    assert.equal(announced.place, "finished");
    pressButton();
    assert.equal(kept.end, null);
    assert.equal(told.at(-1), "reload");
  });

  it("shows the end that the server tells with its refusal, should it have been lost", () => {
    server.openSession(GAME, "lobby");
    server.endScene = END;
    flow.linkChanged("over", "session_expired");
    assert.equal(told.at(-2), "end thanks");
    assert.deepEqual(kept.end, END);
    assert.equal(announced.place, "finished");
  });

  it("says that a session is over, and starts a new one when asked to", () => {
    server.openSession(TEXT);
    flow.linkChanged("over", "session_expired");
    assert.equal(told.at(-1), "over session_expired");
    pressButton();
    assert.equal(kept.token, null);
    assert.equal(told.at(-1), "reload");
  });

  it("lets a game know when the connection is lost, and ends it with the session", () => {
    server.openSession(GAME, "playing");
    flow.linkChanged("lost");
    flow.linkChanged("taken_over", "session_taken_over");
    assert.deepEqual(told.slice(2), [
      "link lost",
      "game lost connection",
      "link taken_over",
      "game left",
      "over session_taken_over",
    ]);
  });

  it("leaves when the participant says so, and shows it before the server has heard it", async () => {
    server.openSession(TEXT);
    flow.leave();
    assert.equal(told.at(-1), "leaving");
    server.acknowledge("leave");
    await settled();
    assert.deepEqual(server.closes, ["left"]);
  });

  it("calls it leaving when the server has closed before its answer was read", () => {
    server.openSession(TEXT);
    flow.leave();
    flow.linkChanged("lost");
    flow.linkChanged("over", "session_expired");
    assert.equal(told.at(-1), "over left");
  });
});
