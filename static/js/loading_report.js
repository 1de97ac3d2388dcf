/** What one load did to the page, read from the event log. Pure. */

/**
 * @import { Entry } from "./event_log.js"
 * @import { LoadingPath, LoadingReport, LoadingStage } from "./protocol.js"
 */

/**
 * A heartbeat that is handled this much later than it was due has been missed. The server sends
 * each one a ping interval after the answer to the last, so a round trip is always added.
 */
const HEARTBEAT_TOLERANCE_MS = 1_000;

/**
 * @param {readonly Entry[]} entries the event log
 * @param {object} load
 * @param {LoadingPath} load.path
 * @param {number} load.from_ms when it began, milliseconds since the epoch
 * @param {number} load.to_ms when it ended
 * @param {Partial<Record<LoadingStage, number>>} load.stages_ms
 * @returns {Omit<LoadingReport, "longest_frame_gap_ms">} times in whole milliseconds
 */
export function loadingReport(entries, { path, from_ms, to_ms, stages_ms }) {
  const blocks = blocksBetween(entries, from_ms, to_ms);
  return {
    path,
    total_ms: Math.round(to_ms - from_ms),
    stages_ms: Object.fromEntries(
      Object.entries(stages_ms).map(([stage, spent_ms]) => [stage, Math.round(spent_ms)]),
    ),
    longest_block_ms: Math.round(Math.max(0, ...blocks)),
    block_count: blocks.length,
    missed_heartbeats: missedHeartbeats(entries, from_ms, to_ms),
  };
}

/**
 * Durations of the blocks of the main thread that overlap a span of time.
 * @param {readonly Entry[]} entries
 * @param {number} from_ms
 * @param {number} to_ms
 * @returns {number[]} milliseconds
 */
function blocksBetween(entries, from_ms, to_ms) {
  const durations_ms = [];
  for (const { event, start_ms, duration_ms } of entries) {
    if (event === "main_thread_blocked") {
      const [start, duration] = [Number(start_ms), Number(duration_ms)];
      if (start < to_ms && start + duration > from_ms) {
        durations_ms.push(duration);
      }
    }
  }
  return durations_ms;
}

/**
 * How many heartbeats were due in a span of time while none was handled. A heartbeat is due a ping
 * interval after the last one that was handled, or after the connection was opened.
 * @param {readonly Entry[]} entries
 * @param {number} from_ms
 * @param {number} to_ms
 * @returns {number}
 */
export function missedHeartbeats(entries, from_ms, to_ms) {
  let missed = 0;
  let interval_ms = 0;
  /** @type {number | null} */ let handled_ms = null;

  /** @param {number} until_ms */
  const countUntil = (until_ms) => {
    if (handled_ms === null || interval_ms <= 0) {
      return;
    }
    for (
      let due_ms = handled_ms + interval_ms;
      due_ms + HEARTBEAT_TOLERANCE_MS <= until_ms;
      due_ms += interval_ms
    ) {
      missed += due_ms >= from_ms && due_ms <= to_ms ? 1 : 0;
    }
  };

  for (const { event, at_ms, ping_interval_ms } of entries) {
    if (at_ms > to_ms) {
      break;
    }
    if (event === "connection_opened") {
      interval_ms = Number(ping_interval_ms);
      handled_ms = at_ms;
    } else if (event === "heartbeat_seen") {
      countUntil(at_ms);
      handled_ms = at_ms;
    } else if (event === "connection_lost") {
      countUntil(at_ms);
      handled_ms = null;
    }
  }
  countUntil(to_ms);
  return missed;
}
