/** Shows what does not belong to one scene: the scene's place, the banner, the way out. */

import { Banner } from "./banner.js";
import { actionButton, h, setText, studyText } from "./dom.js";
import { LoadingView } from "./loading_view.js";
import { overSentence } from "./sentences.js";

/**
 * @import { LinkStatus } from "./connection.js"
 * @import { Time } from "./environment.js"
 * @import { LiveTexts } from "./live_text.js"
 * @import { LoadingState } from "./loading.js"
 * @import { EndScene, TextScene } from "./protocol.js"
 */

/**
 * @typedef {object} Shell the page's fixed elements, from its template
 * @property {HTMLElement} main
 * @property {HTMLElement} banner
 * @property {HTMLButtonElement} leave
 * @property {HTMLDialogElement} leaveDialog closes with "leave" when that was chosen
 */

export class PageView {
  #shell;
  #banner;
  #live;
  #shown = false;

  /**
   * @param {object} parts
   * @param {Shell} parts.shell
   * @param {Time} parts.time
   * @param {LiveTexts} parts.live
   * @param {() => void} parts.onLeave the participant has confirmed
   */
  constructor({ shell, time, live, onLeave }) {
    this.#shell = shell;
    this.#live = live;
    this.#banner = new Banner(shell.banner, time);
    shell.leave.addEventListener("click", () => shell.leaveDialog.showModal());
    shell.leaveDialog.addEventListener("close", () => {
      if (shell.leaveDialog.returnValue === "leave") {
        onLeave();
      }
      shell.leaveDialog.returnValue = "";
    });
  }

  /** @param {LinkStatus} link */
  showLink(link) {
    this.#banner.show(link);
  }

  /**
   * A text scene.
   * @param {TextScene} scene
   * @param {() => Promise<void>} onContinue
   * @param {() => void} onRetry
   * @returns {{loadingChanged: (loading: LoadingState) => void}}
   */
  showText(scene, onContinue, onRetry) {
    const loading = new LoadingView(this.#live, onRetry);
    this.#place(
      h(
        "article",
        {},
        h("h1", { tabindex: -1 }, scene.title),
        studyText(scene.html),
        actionButton(scene.button, { "data-testid": "continue" }, onContinue),
        loading.element,
      ),
    );
    return { loadingChanged: (state) => loading.show(state) };
  }

  /**
   * A game scene, drawn by its own view.
   * @param {HTMLElement} element
   */
  showGame(element) {
    this.#place(element);
  }

  /** @param {EndScene} scene */
  showEnd(scene) {
    this.#place(h("article", {}, h("h1", { tabindex: -1 }, scene.title), studyText(scene.html)));
    this.#shell.leave.hidden = true;
  }

  /**
   * Below the end of a study that was reached earlier in this tab: a way to take part in it anew.
   * @param {() => void} onStartAgain
   */
  offerNewSession(onStartAgain) {
    this.#shell.main.firstElementChild?.append(
      h("p", { class: "hint" }, "The study was finished in this tab before."),
      actionButton("Start again", { class: "secondary outline" }, onStartAgain),
    );
  }

  /** The participant leaves, which takes until the server has heard it. */
  showLeaving() {
    const { leave } = this.#shell;
    setText(leave, "Leaving…");
    leave.disabled = true;
    leave.ariaBusy = "true";
  }

  /**
   * Nothing more happens on this page.
   * @param {string | undefined} code why
   * @param {() => void} onStartAgain
   */
  showOver(code, onStartAgain) {
    const { title, text, mayStartAgain } = overSentence(code);
    this.#place(
      h(
        "article",
        { "data-testid": "over" },
        h("h1", { tabindex: -1 }, title),
        h("p", { role: "alert" }, text),
        mayStartAgain ? actionButton("Start again", {}, onStartAgain) : null,
      ),
    );
    this.#shell.leave.hidden = true;
  }

  /** @param {HTMLElement} content */
  #place(content) {
    this.#live.stop();
    this.#shell.main.replaceChildren(content);
    this.#shell.main.setAttribute("aria-busy", "false");
    this.#shell.leave.hidden = false;
    // Whoever cannot see the page is told where they are; the first scene is read anyway.
    if (this.#shown) {
      this.#shell.main.querySelector("h1")?.focus();
      window.scrollTo({ top: 0 });
    }
    this.#shown = true;
  }
}
