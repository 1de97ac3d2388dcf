/** Shows how a game ended, and leads on. */

import { actionButton, h } from "./dom.js";
import { playerName } from "./sentences.js";

/** @import { GameResult, MatchedGame } from "./protocol.js" */

export class ResultView {
  #result = h("div", { "data-testid": "result" });
  element;

  /** @param {() => Promise<void>} onContinue */
  constructor(onContinue) {
    this.element = h(
      "section",
      { class: "card", hidden: true },
      this.#result,
      actionButton("Continue", { "data-testid": "continue" }, onContinue),
    );
  }

  /**
   * @param {boolean} mayContinue
   * @param {GameResult | null} result
   * @param {Pick<MatchedGame, "players" | "you"> | null} game null: the
   *   page does not know which of the players it was
   */
  show(mayContinue, result, game) {
    this.element.hidden = !mayContinue;
    const rewards = result?.rewards;
    this.#result.replaceChildren(
      rewards && game !== null
        ? pointsTable(rewards, game)
        : h("p", {}, "You can go on with the study now."),
    );
  }
}

/**
 * @param {Record<string, number>} rewards
 * @param {Pick<MatchedGame, "players" | "you">} game
 */
function pointsTable(rewards, game) {
  const rows = game.players
    .filter((player) => player in rewards)
    // One's own come first.
    .sort((one, other) => Number(other === game.you) - Number(one === game.you))
    .map((player) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, playerName(player, game)),
        h("td", {}, points(rewards[player])),
      ),
    );
  return h("table", {}, h("caption", {}, "Points"), h("tbody", {}, ...rows));
}

/**
 * @param {number} value
 * @returns {string} to two decimals, with a minus sign and not a hyphen
 */
function points(value) {
  return String(Math.round(value * 100) / 100).replace("-", "−");
}
