/** Shows the waiting room: who is missing, how many are here, how long one may wait. */

import { h, setText } from "./dom.js";
import { duration, waitingSentence } from "./sentences.js";

/**
 * @import { LiveTexts } from "./live_text.js"
 * @import { WaitingRoom } from "./protocol.js"
 */

/** @typedef {WaitingRoom & {until_ms: number | null}} TimedRoom */

export class WaitingView {
  #live;
  #text = h("p", { role: "status" });
  #count = h("strong");
  #left = h("p", { class: "hint", role: "timer" });
  element = h(
    "section",
    { class: "card", "data-testid": "waiting", hidden: true },
    h("div", { class: "line" }, this.#text, this.#count),
    this.#left,
  );

  /** @param {LiveTexts} live */
  constructor(live) {
    this.#live = live;
  }

  /** @param {TimedRoom | null} room null: not in a waiting room */
  show(room) {
    this.element.hidden = room === null;
    if (room === null) {
      this.#live.show(this.#left, null);
      return;
    }
    const { waiting, needed, until_ms } = room;
    setText(this.#text, waitingSentence(room));
    setText(this.#count, `${waiting} of ${needed} here`);
    this.#live.show(
      this.#left,
      until_ms === null
        ? null
        : (now_ms) => `At most ${duration((until_ms - now_ms) / 1000)} more.`,
    );
  }
}
