/** Shows how the partners are, and how long they are waited for. */

import { h, setText } from "./dom.js";
import { duration, partnerSentence, playerName } from "./sentences.js";

/**
 * @import { LiveTexts } from "./live_text.js"
 * @import { MatchedGame, PartnerStatus } from "./protocol.js"
 */

/** @typedef {PartnerStatus & {until_ms: number | null}} TimedStatus */

export class PartnersView {
  #live;
  /** @type {Map<string, {line: HTMLElement, text: HTMLElement, left: HTMLElement}>} by player */
  #lines = new Map();
  element = h("div", { class: "partners", "data-testid": "partner" });

  /** @param {LiveTexts} live */
  constructor(live) {
    this.#live = live;
  }

  /**
   * @param {MatchedGame | null} game null: no game, no partners
   * @param {Map<string, TimedStatus>} partners by player
   */
  show(game, partners) {
    this.element.hidden = game === null || partners.size === 0;
    for (const [player, { left, line }] of this.#lines) {
      if (game === null || !partners.has(player)) {
        this.#live.show(left, null);
        line.remove();
        this.#lines.delete(player);
      }
    }
    if (game !== null) {
      for (const [player, status] of partners) {
        this.#showPartner(playerName(player, game), status);
      }
    }
  }

  /**
   * @param {string} name
   * @param {TimedStatus} status
   */
  #showPartner(name, { player, link, runtime, until_ms }) {
    const { line, text, left } = this.#lines.get(player) ?? this.#add(player);
    const sentence = partnerSentence(name, { link, runtime });
    const { timed } = sentence;
    line.dataset.wanting = String(sentence.wanting);
    setText(text, sentence.text);
    this.#live.show(
      left,
      timed === null || until_ms === null
        ? null
        : (now_ms) => ` ${timed(duration((until_ms - now_ms) / 1000))}`,
    );
  }

  /** @param {string} player */
  #add(player) {
    const text = h("span", { role: "status" });
    const left = h("span", { role: "timer" });
    const line = h("p", {}, text, left);
    this.#lines.set(player, { line, text, left });
    this.element.append(line);
    return { line, text, left };
  }
}
