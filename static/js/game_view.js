/** Shows a game scene. It is given the whole model each time, and shows what of it matters now. */

import { h, setText, studyText } from "./dom.js";
import { LoadingView } from "./loading_view.js";
import { PartnersView } from "./partners_view.js";
import { ResultView } from "./result_view.js";
import { StageView } from "./stage_view.js";
import { WaitingView } from "./waiting_view.js";

/**
 * @import { Time } from "./environment.js"
 * @import { Keyboard } from "./keyboard.js"
 * @import { LiveTexts } from "./live_text.js"
 * @import { LoadingState } from "./loading.js"
 * @import { GamePhase } from "./page_state.js"
 * @import { TimedStatus } from "./partners_view.js"
 * @import { GameResult, GameScene, MatchedGame } from "./protocol.js"
 * @import { Shape } from "./python.js"
 * @import { TimedRoom } from "./waiting_view.js"
 */

/**
 * @typedef {object} GameModel
 * @property {GamePhase} phase
 * @property {TimedRoom | null} room while waiting
 * @property {MatchedGame | null} game the present one or the last
 * @property {Map<string, TimedStatus>} partners by player
 * @property {string | null} notice what has just happened
 * @property {boolean} mayContinue
 * @property {GameResult | null} result
 * @property {LoadingState} loading
 *
 * @typedef {object} GameViewParts
 * @property {GameScene} scene
 * @property {Time} time
 * @property {LiveTexts} live
 * @property {Pick<Keyboard, "press" | "release">} keyboard
 * @property {() => void} onRetry
 * @property {() => Promise<void>} onContinue
 */

export class GameSceneView {
  #notice = h("p", { class: "card notice", role: "status" });
  #waiting;
  #partners;
  #loading;
  #stage;
  #result;
  /** @type {GamePhase} */ #phase = "none";
  element;

  /** @param {GameViewParts} parts */
  constructor({ scene, time, live, keyboard, onRetry, onContinue }) {
    this.#waiting = new WaitingView(live);
    this.#partners = new PartnersView(live);
    this.#loading = new LoadingView(live, onRetry);
    this.#stage = new StageView(scene, time, keyboard);
    this.#result = new ResultView(onContinue);
    this.element = h(
      "article",
      {},
      h("h1", { tabindex: -1 }, scene.title),
      studyText(scene.html),
      this.#notice,
      this.#waiting.element,
      this.#partners.element,
      this.#loading.element,
      this.#result.element,
      this.#stage.element,
    );
  }

  /** @param {GameModel} model */
  show({ phase, room, game, partners, notice, mayContinue, result, loading }) {
    setText(this.#notice, notice ?? "");
    this.#notice.hidden = notice === null;
    this.#waiting.show(room);
    this.#partners.show(game, partners);
    this.#loading.show(loading);
    // A game that never began has left nothing to look at.
    this.#stage.show(room === null ? phase : "none");
    this.#result.show(mayContinue, result, game);
    if (phase === "running" && this.#phase !== "running") {
      this.#stage.focus();
    }
    this.#phase = phase;
  }

  /** @param {Shape[]} shapes */
  draw(shapes) {
    this.#stage.draw(shapes);
  }

  /** @param {number} frame */
  showFrame(frame) {
    this.#stage.showFrame(frame);
  }
}
