/**
 * The other baseline: Node.js's own socket.io, with connection state recovery.
 * Prints `ready: ADDRESS`, and serves until it is killed.
 */

import { createServer } from "node:http";
import { Server } from "socket.io";

const [pingInterval, pingTimeout] = process.argv.slice(2).map((seconds) => Number(seconds) * 1000);
const http = createServer();
const io = new Server(http, {
  transports: ["websocket"],
  pingInterval,
  pingTimeout,
  connectionStateRecovery: {},
});

io.on("connection", (socket) => {
  socket.emit("session_opened", { session_id: socket.id });
  socket.on("player_action", (_payload, acknowledge) => acknowledge({ ok: true }));
});

http.listen(0, "127.0.0.1", () => {
  const { port } = /** @type {import("node:net").AddressInfo} */ (http.address());
  process.stdout.write(`ready: http://127.0.0.1:${port}\n`);
});
