import { Connection } from "../../../static/js/connection.js";
import { EventLog } from "../../../static/js/event_log.js";
import { FakeNetwork } from "./fake_socket.js";
import { ManualTime } from "./manual_time.js";

/** A page's connection whose first attempt has begun, and all that it is made of. */
export function setUp() {
  const time = new ManualTime();
  const log = new EventLog(time);
  const network = new FakeNetwork();
  /** @type {(string | undefined)[][]} */ const statuses = [];
  const page = { loads: false };
  let connects = 0;
  const connection = new Connection({
    openSocket: network.openSocket,
    auth: () => {
      connects += 1;
      return { page_id: "page-000", runtime: { state: "cold" }, last_frame: connects };
    },
    time,
    random: () => 1,
    log,
    isLoading: () => page.loads,
    onStatus: (...status) => void statuses.push(status),
  });
  connection.start();
  return { time, log, network, page, statuses, connection };
}
