/**
 * Leads through the study: which scene is shown, what its button does, how the session ends.
 * The server decides; this page shows, and asks.
 */

import { GraceError } from "./errors.js";
import { CLIENT_EVENTS, ERROR_CODES, SERVER_EVENTS } from "./protocol.js";
import { LEFT } from "./sentences.js";

/**
 * @import { Connection, LinkStatus } from "./connection.js"
 * @import { GameSceneController } from "./game_scene.js"
 * @import { LoadingState } from "./loading.js"
 * @import { Announced } from "./page_state.js"
 * @import { PageView } from "./page_view.js"
 * @import { Game, GameScene, Place, Scene, SessionOpened } from "./protocol.js"
 * @import { SessionStore } from "./session_store.js"
 */

/**
 * @typedef {object} SceneFlowParts
 * @property {Connection} connection
 * @property {SessionStore} store
 * @property {PageView} view
 * @property {(changes: Partial<Announced>) => void} announce
 * @property {(scene: GameScene, onContinue: () => Promise<void>) =>
 *   ShownGame} makeGameScene
 * @property {() => void} preload begins to load Python unless that is done or not wanted
 * @property {() => void} retry loads Python again
 * @property {() => void} reload loads the page again
 *
 * @typedef {object} ShownGame
 * @property {GameSceneController} controller
 * @property {HTMLElement} element
 */

export class SceneFlow {
  /** @type {SceneFlowParts} */ #parts;
  /** @type {Scene | null} */ #scene = null;
  /** @type {GameSceneController | null} */ #game = null;
  /** @type {(loading: LoadingState) => void} */ #onLoading = () => {};
  /** @type {LoadingState} */ #loading = { state: "cold" };
  #leaving = false;

  /** @param {SceneFlowParts} parts */
  constructor(parts) {
    this.#parts = parts;
    const { connection } = parts;
    connection.on(SERVER_EVENTS.SESSION_OPENED, (session) => this.#opened(session));
    connection.on(SERVER_EVENTS.SCENE_ACTIVATED, (scene) => this.#entered(scene));
    connection.on(SERVER_EVENTS.WAITING_ROOM, (room) => this.#game?.waitingRoom(room));
    connection.on(SERVER_EVENTS.GAME_MATCHED, (game) => this.#game?.matched(game));
    connection.on(SERVER_EVENTS.GAME_STARTED, (at) => this.#game?.started(at));
    connection.on(SERVER_EVENTS.GAME_PAUSED, (at) => this.#game?.paused(at));
    connection.on(SERVER_EVENTS.GAME_RESUMED, (at) => this.#game?.started(at));
    connection.on(SERVER_EVENTS.GAME_ENDED, (ending) => this.#game?.ended(ending));
    connection.on(SERVER_EVENTS.FRAME_ACTIONS, (delivery) => this.#game?.frameActions(delivery));
    connection.on(SERVER_EVENTS.PARTNER_STATUS, (status) => this.#game?.partnerStatus(status));
  }

  /** What CONNECT restates as `last_frame`. */
  get frame() {
    return this.#game?.frame;
  }

  /** @param {LoadingState} loading */
  loadingChanged(loading) {
    this.#loading = loading;
    this.#onLoading(loading);
  }

  /**
   * @param {LinkStatus} link
   * @param {string} [code] why the session is over
   */
  linkChanged(link, code) {
    const { view, announce, store } = this.#parts;
    announce({ link });
    if (this.#scene?.kind === "end") {
      return; // Whoever has reached the end needs no connection any more.
    }
    view.showLink(link);
    if (link === "lost") {
      this.#game?.connectionLost();
    } else if (link === "over" || link === "taken_over") {
      const kept = code === ERROR_CODES.SESSION_EXPIRED ? store.end : null;
      const end = this.#parts.connection.endScene ?? kept;
      if (end) {
        announce({ place: "finished" });
        this.#show(end);
        view.offerNewSession(() => this.#startAgain());
      } else {
        this.#finish(this.#leaving ? LEFT : code);
      }
    }
  }

  /** The participant has confirmed that they leave. */
  async leave() {
    const { connection, view } = this.#parts;
    view.showLeaving();
    // The server may close the connection before its answer is read; then the next attempt is
    // refused, and the session is over all the same.
    this.#leaving = true;
    await this.#ask(CLIENT_EVENTS.LEAVE, {});
    connection.close(LEFT);
  }

  /** @param {SessionOpened} session */
  #opened({ session_id, token, place, scene, game }) {
    const { announce, store } = this.#parts;
    store.keepToken(token);
    announce({ session: session_id, place });
    if (scene.scene_id !== this.#scene?.scene_id) {
      this.#show(scene);
    }
    this.#proceed(scene, place, game);
  }

  /** @param {Scene} scene */
  #entered(scene) {
    const place = scene.kind === "end" ? "finished" : "lobby";
    this.#parts.announce({ place });
    this.#show(scene);
    this.#proceed(scene, place);
  }

  /** @param {Scene} scene */
  #show(scene) {
    const { announce, view, store, makeGameScene, retry } = this.#parts;
    this.#leaveGame();
    this.#scene = scene;
    announce({ scene: scene.scene_id, game: "none" });
    if (scene.kind === "text") {
      const shown = view.showText(scene, () => this.#advance(), retry);
      this.#onLoading = shown.loadingChanged;
    } else if (scene.kind === "game") {
      const { controller, element } = makeGameScene(scene, () => this.#advance());
      this.#game = controller;
      this.#onLoading = (loading) => controller.loadingChanged(loading);
      view.showGame(element);
    } else {
      store.keepEnd(scene);
      view.showEnd(scene);
    }
    this.#onLoading(this.#loading);
  }

  /**
   * @param {Scene} scene
   * @param {Place} place
   * @param {Game | null} [game]
   */
  #proceed(scene, place, game) {
    if (scene.kind === "text") {
      this.#parts.preload();
    } else if (scene.kind === "game") {
      this.#game?.opened(scene, place, game);
    }
  }

  async #advance() {
    await this.#ask(CLIENT_EVENTS.ADVANCE_SCENE, { scene_id: this.#scene?.scene_id });
  }

  /**
   * @param {string} event
   * @param {object} payload
   */
  async #ask(event, payload) {
    try {
      await this.#parts.connection.request(event, payload);
    } catch (error) {
      if (!(error instanceof GraceError)) {
        throw error;
      } // A refusal is in the event log, and the end of the session is shown.
    }
  }

  /** @param {string | undefined} code */
  #finish(code) {
    this.#leaveGame();
    this.#parts.view.showOver(code, () => this.#startAgain());
  }

  #startAgain() {
    const { store, reload } = this.#parts;
    store.forget();
    reload();
  }

  #leaveGame() {
    this.#game?.leave();
    this.#game = null;
    this.#onLoading = () => {};
  }
}
