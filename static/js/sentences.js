/** What the page tells the participant, in plain sentences. Pure. */

import { END_REASONS, ERROR_CODES } from "./protocol.js";

/** @import { LoadingStage, MatchedGame, PartnerStatus, WaitingRoom } from "./protocol.js" */

/** The code of a session that ended because the participant pressed the button. */
export const LEFT = "left";

/**
 * @param {number} seconds
 * @returns {string} as "43 s" or "9 min 54 s"
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return whole < 120 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/**
 * What a player is called.
 * @param {string} player
 * @param {Pick<MatchedGame, "players" | "you">} game
 * @returns {string} "You", "Your partner", or "Player 2" where there are several
 */
export function playerName(player, { players, you }) {
  if (player === you) {
    return "You";
  }
  return players.length === 2 ? "Your partner" : `Player ${players.indexOf(player) + 1}`;
}

/**
 * @typedef {object} PartnerSentence
 * @property {string} text
 * @property {((left: string) => string) | null} timed says how long that can last, where it matters
 * @property {boolean} wanting whether something is still missing
 */

/**
 * How a partner is.
 * @param {string} name as `playerName` gives it
 * @param {Pick<PartnerStatus, "link" | "runtime">} status
 * @returns {PartnerSentence}
 */
export function partnerSentence(name, { link, runtime }) {
  const browser = `${name}'s browser`;
  const upTo = (/** @type {string} */ left) => `Up to ${left} left.`;
  /** @type {(text: string, timed?: PartnerSentence["timed"]) => PartnerSentence} */
  const wanting = (text, timed = null) => ({ text, timed, wanting: true });
  if (link === "gone") {
    return wanting(`${name} is no longer here.`);
  }
  if (link === "away" && runtime === "loading") {
    return wanting(`${browser} is loading Python and cannot answer meanwhile.`, upTo);
  }
  if (link === "away") {
    const text = `${name} lost the connection.`;
    return wanting(text, (left) => `Waiting up to ${left} for them to come back.`);
  }
  if (runtime === "loading") {
    return wanting(`${browser} is loading Python…`, upTo);
  }
  if (link === "busy") {
    return wanting(`${browser} is busy and does not answer.`, upTo);
  }
  if (runtime === "failed") {
    return wanting(`${browser} could not load Python.`);
  }
  if (runtime === "cold") {
    return wanting(`${browser} is about to load Python.`);
  }
  return { text: `${name} is here.`, timed: null, wanting: false };
}

/**
 * @param {WaitingRoom} room
 * @returns {string}
 */
export function waitingSentence({ waiting, needed }) {
  const missing = Math.max(0, needed - waiting);
  if (missing === 0) {
    return "Everybody is here. The game is about to be set up.";
  }
  return missing === 1
    ? "Waiting for one more participant."
    : `Waiting for ${missing} more participants.`;
}

/** @type {Record<string, string>} */
const ENDINGS = {
  [END_REASONS.COMPLETED]: "The game is over.",
  [END_REASONS.DESYNC]: "The game was stopped: the players' browsers no longer agreed about it.",
  [END_REASONS.ENVIRONMENT_FAILED]:
    "The game was stopped by a fault in its program. The experimenter can see what happened.",
  [END_REASONS.PLAYER_LEFT]: "The game has ended: another player left it.",
  [END_REASONS.PLAYER_GONE]: "The game has ended: another player did not come back in time.",
  [END_REASONS.PLAYER_FAILED]:
    "The game did not begin: Python could not be loaded in one player's browser.",
  [END_REASONS.START_TIMEOUT]: "The game did not begin: not everybody was ready in time.",
  [END_REASONS.RESUME_TIMEOUT]: "The game has ended: it could not go on in time.",
  [END_REASONS.SERVER_RESTARTED]: "The game has ended: the server was restarted.",
};

/**
 * @param {string} reason
 * @returns {string}
 */
export function endSentence(reason) {
  return ENDINGS[reason] ?? "The game has ended.";
}

/**
 * @typedef {object} OverSentence
 * @property {string} title
 * @property {string} text
 * @property {boolean} mayStartAgain whether a new session is offered
 */

/**
 * Why nothing more happens on this page.
 * @param {string | undefined} code
 * @returns {OverSentence}
 */
export function overSentence(code) {
  switch (code) {
    case ERROR_CODES.SESSION_TAKEN_OVER:
      return {
        title: "Continued elsewhere",
        text: "This session goes on in another tab or window. You can close this one.",
        mayStartAgain: false,
      };
    case LEFT:
      return {
        title: "You have left",
        text: "You have left the study. You can close this tab.",
        mayStartAgain: false,
      };
    case ERROR_CODES.UNKNOWN_STUDY:
      return {
        title: "Another study",
        text: "This server no longer serves the study that this page belongs to.",
        mayStartAgain: true,
      };
    case ERROR_CODES.INVALID_AUTH:
      return {
        title: "Not accepted",
        text: "The server did not accept this page. Starting again may help.",
        mayStartAgain: true,
      };
    default:
      return {
        title: "This session is over",
        text: "You have left it, or you were away for longer than your place could be kept.",
        mayStartAgain: true,
      };
  }
}

/** @type {Record<string, string>} `KeyboardEvent.code` to what is printed on the key */
const KEY_NAMES = {
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
};

/**
 * @param {string} code `KeyboardEvent.code`
 * @returns {string} what people call the key, on a US keyboard
 */
export function keyName(code) {
  return KEY_NAMES[code] ?? code.replace(/^(Key|Digit)/, "");
}

/** @type {Record<LoadingStage, string>} */
export const STAGE_NAMES = {
  runtime: "Python itself",
  packages: "Packages",
  environment: "The game",
};
