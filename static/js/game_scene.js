/**
 * What goes on in a game scene: join the waiting room, be matched, play, see how it ended.
 *
 * What must be said before the page freezes is said first: Python is preloaded only once the
 * waiting room has been joined.
 */

import { ConnectionLostError, RefusedError, SessionOverError } from "./errors.js";
import { CLIENT_EVENTS } from "./protocol.js";
import { endSentence } from "./sentences.js";

/**
 * @import { Connection } from "./connection.js"
 * @import { Time } from "./environment.js"
 * @import { GameModel, GameSceneView } from "./game_view.js"
 * @import { LoadingState } from "./loading.js"
 * @import { Announced, GamePhase } from "./page_state.js"
 * @import { FrameActions, Game, GameAt, GameEnded, GamePaused, GameProgress } from "./protocol.js"
 * @import { GameScene, MatchedGame, PartnerStatus, Place, WaitingRoom } from "./protocol.js"
 * @import { RemoteGame } from "./pyodide_remote_game.js"
 */

/**
 * @typedef {object} GameSceneParts
 * @property {Pick<Connection, "request">} connection
 * @property {Time} time
 * @property {Pick<GameSceneView, "show">} view
 * @property {(changes: Partial<Announced>) => void} announce
 * @property {() => void} preload begins to load Python unless that is done or not wanted
 * @property {() => void} fallBack loads Python where the preload has failed
 * @property {() => void} retry loads Python again
 * @property {(game: MatchedGame, showPhase: (phase: GamePhase) => void) => RemoteGame} makeGame
 */

export class GameSceneController {
  /** @type {GameSceneParts} */ #parts;
  /** @type {Place} */ #place = "lobby";
  /** @type {RemoteGame | null} */ #game = null;
  #joining = false;
  /** Whether this scene has seen to Python once. */
  #prepared = false;
  /** @type {GameModel} */ #model = {
    phase: "none",
    room: null,
    game: null,
    partners: new Map(),
    notice: null,
    mayContinue: false,
    result: null,
    loading: { state: "cold" },
  };

  /** @param {GameSceneParts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /** Frames applied of the game that is played here, if one is. */
  get frame() {
    return this.#game?.frame;
  }

  /**
   * The page has entered the scene, or is connected again while in it.
   * @param {GameScene} scene as it is now
   * @param {Place} place
   * @param {Game | null} [game]
   */
  async opened(scene, place, game) {
    if (this.#game && this.#game.game_id !== game?.game_id) {
      this.#endGame("The game has ended meanwhile.");
    }
    this.#moveTo(place);
    if (game && this.#game) {
      this.#game.resume(game);
    } else if (game) {
      this.#begin(game, game);
    }
    this.#show({ mayContinue: scene.done, result: scene.result ?? this.#model.result });
    if (this.#place === "lobby" && !scene.done) {
      await this.#join();
    }
    if (this.#place === "waiting" || this.#place === "playing") {
      this.#prepare();
    }
  }

  /** The participant wants Python to be loaded again. */
  retry() {
    if (this.#game) {
      this.#game.initialize(); // A game that waits for this page goes on once it is ready.
    } else {
      this.#parts.retry();
    }
  }

  connectionLost() {
    this.#game?.connectionLost();
  }

  /** @param {LoadingState} loading */
  loadingChanged(loading) {
    this.#show({ loading });
  }

  /** @param {WaitingRoom} room */
  waitingRoom(room) {
    this.#moveTo("waiting");
    this.#show({ room: { ...room, until_ms: this.#until(room.seconds_left) } });
  }

  /** @param {MatchedGame} game */
  matched(game) {
    if (this.#game?.game_id !== game.game_id) {
      this.#moveTo("playing");
      this.#begin(game);
    }
  }

  /** @param {GameAt} at */
  started({ game_id }) {
    this.#present(game_id)?.run();
  }

  /** @param {GamePaused} at */
  paused({ game_id }) {
    this.#present(game_id)?.hold();
  }

  /** @param {FrameActions} delivery */
  frameActions(delivery) {
    this.#present(delivery.game_id)?.deliver(delivery);
  }

  /** @param {PartnerStatus} status */
  partnerStatus(status) {
    if (this.#present(status.game_id)) {
      const until_ms = this.#until(status.seconds_left);
      this.#model.partners.set(status.player, { ...status, until_ms });
      this.#show({});
    }
  }

  /** @param {GameEnded} ending */
  ended({ game_id, reason, result, place }) {
    if (!this.#present(game_id)) {
      return;
    }
    const back = place === "waiting" ? " You are back in the waiting room, at its front." : "";
    this.#endGame(endSentence(reason) + back);
    this.#moveTo(place);
    this.#show({ mayContinue: place === "lobby", result: result ?? null });
  }

  /** The scene is left, or the session is over. */
  leave() {
    this.#game?.end();
    this.#game = null;
  }

  /**
   * Nobody is matched whose Python has failed. So where the preload did while the participant was
   * reading, the fallback begins when they come to play: once, then it is theirs to try again.
   */
  #prepare() {
    const failedBefore = !this.#prepared && this.#model.loading.state === "failed";
    this.#prepared = true;
    if (failedBefore) {
      this.#parts.fallBack();
    } else {
      this.#parts.preload();
    }
  }

  async #join() {
    if (this.#joining) {
      return;
    }
    this.#joining = true;
    try {
      const request = this.#parts.connection.request(
        CLIENT_EVENTS.JOIN_GAME,
        {},
        { resend: false },
      );
      const { place } = await request;
      // It may have been matched before this answer was read.
      if (this.#place === "lobby") {
        this.#moveTo(/** @type {Place} */ (place));
      }
    } catch (error) {
      if (error instanceof RefusedError) {
        this.#show({ notice: `The waiting room could not be joined: ${error.message}.` });
      } else if (!(error instanceof ConnectionLostError || error instanceof SessionOverError)) {
        throw error;
      } // The next connection tells where the session is.
    } finally {
      this.#joining = false;
    }
  }

  /**
   * @param {MatchedGame} game
   * @param {GameProgress} [progress] of a game that is joined again
   */
  #begin(game, progress) {
    this.#show({ game, partners: new Map(), notice: null, mayContinue: false, result: null });
    this.#game = this.#parts.makeGame(game, (phase) => this.#showPhase(phase));
    this.#game.initialize(progress);
  }

  /** @param {string} notice */
  #endGame(notice) {
    this.#game?.end();
    this.#game = null;
    this.#show({ partners: new Map(), notice });
  }

  /** @param {string} game_id */
  #present(game_id) {
    return this.#game?.game_id === game_id ? this.#game : null;
  }

  /** @param {Place} place */
  #moveTo(place) {
    this.#place = place;
    this.#parts.announce({ place });
    if (place !== "waiting") {
      this.#show({ room: null });
    }
  }

  /** @param {GamePhase} phase */
  #showPhase(phase) {
    this.#parts.announce({ game: phase });
    this.#show({ phase });
  }

  /** @param {Partial<GameModel>} changes */
  #show(changes) {
    Object.assign(this.#model, changes);
    this.#parts.view.show(this.#model);
  }

  /** @param {number | null} [seconds_left] */
  #until(seconds_left) {
    return seconds_left === null || seconds_left === undefined
      ? null
      : this.#parts.time.now() + seconds_left * 1000;
  }
}
