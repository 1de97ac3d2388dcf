/** Shows how far Python has come: the stages by name, the time spent, a retry when it failed. */

import { h, setText } from "./dom.js";
import { LOADING_STAGES } from "./protocol.js";
import { duration, STAGE_NAMES } from "./sentences.js";

/**
 * @import { LiveTexts } from "./live_text.js"
 * @import { LoadingState } from "./loading.js"
 * @import { LoadProgress } from "./python.js"
 */

export class LoadingView {
  #live;
  #status = h("p", { role: "status" });
  #elapsed = h("span", { class: "hint", role: "timer" });
  #steps = LOADING_STAGES.map((stage) => h("li", {}, STAGE_NAMES[stage]));
  #error = h("pre");
  #arrived = h("span", { class: "hint", "data-testid": "arrived" });
  #bar = /** @type {HTMLProgressElement} */ (
    h("progress", { max: 1, "aria-label": "Files of Python that have arrived" })
  );
  // It moves by a transform, which browsers animate even while the page is frozen.
  #sweep = h("div", { class: "sweep", "aria-hidden": "true" }, h("span"));
  #warning = h(
    "p",
    { class: "hint" },
    "The page may stand still for up to a minute meanwhile. Please leave it open.",
  );
  #failure;
  #going;
  /** The element to be placed; hidden unless there is something to say. */ element;

  /**
   * @param {LiveTexts} live
   * @param {() => void} onRetry
   */
  constructor(live, onRetry) {
    this.#live = live;
    this.#going = h(
      "div",
      {},
      this.#sweep,
      h("div", { class: "line" }, this.#bar, this.#arrived),
      h("ol", { class: "stages" }, ...this.#steps),
      this.#warning,
    );
    this.#failure = h(
      "div",
      {},
      h(
        "p",
        {},
        "Your connection may have been interrupted. You can simply try again. If that does not help, " +
          "load this page again: your place is kept.",
      ),
      h("button", { type: "button", "data-testid": "retry", onclick: onRetry }, "Try again"),
      h("details", {}, h("summary", {}, "What went wrong"), this.#error),
    );
    this.element = h(
      "section",
      { class: "card", "data-testid": "progress", hidden: true },
      h("div", { class: "line" }, this.#status, this.#elapsed),
      this.#going,
      this.#failure,
    );
  }

  /** @param {LoadingState} loading */
  show({ state, stage, since_ms, error, where, progress }) {
    const loading = state === "loading";
    const failed = state === "failed";
    this.element.hidden = !loading && !failed;
    this.element.dataset.state = state;
    this.#going.hidden = !loading;
    this.#failure.hidden = !failed;
    this.#warning.hidden = where === "worker";
    this.#sweep.hidden = where === "worker";
    this.#showArrived(progress);
    setText(this.#error, error ?? "");
    setText(
      this.#status,
      failed ? "Python could not be loaded." : loading ? "Getting the game ready…" : "",
    );
    this.#live.show(
      this.#elapsed,
      loading ? (now_ms) => duration(Math.floor((now_ms - (since_ms ?? now_ms)) / 1000)) : null,
    );
    const reached = stage === undefined ? 0 : LOADING_STAGES.indexOf(stage);
    for (const [index, step] of this.#steps.entries()) {
      step.className = index < reached ? "done" : index === reached ? "current" : "";
      step.ariaCurrent = index === reached ? "step" : null;
    }
  }

  /** @param {LoadProgress} [progress] */
  #showArrived({ received_bytes, total_bytes } = { received_bytes: 0, total_bytes: 0 }) {
    this.#bar.value = total_bytes === 0 ? 0 : received_bytes / total_bytes;
    const [received, total] = [received_bytes, total_bytes].map((bytes) =>
      (bytes / 1e6).toFixed(1),
    );
    setText(this.#arrived, total_bytes === 0 ? "" : `${received} of ${total} MB`);
  }
}
