import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setUp } from "./fakes/connected_page.js";

describe("Connection and the server's heartbeat", () => {
  const WATCHED = { heartbeat_timeout_s: 38 };
  /** The time of `WATCHED`, and the second in which waiting messages are read. */
  const SILENCE_MS = 39_000;

  it("connects anew, at once, when the server sends none for the time it has told", async () => {
    const { time, log, network, statuses } = setUp();
    network.latest.open(WATCHED);
    await time.advance(SILENCE_MS - 1);
    assert.equal(network.sockets.length, 1);
    await time.advance(1);
    assert.equal(network.sockets[0].closed, true);
    assert.equal(network.sockets.length, 2);
    assert.deepEqual(statuses.at(-1), ["lost", undefined]);
    const lost = log.entries.filter(({ event }) => event === "connection_lost");
    assert.deepEqual(
      lost.map(({ reason }) => reason),
      ["no heartbeat"],
    );
  });

  it("counts from the last one", async () => {
    const { time, network } = setUp();
    network.latest.open(WATCHED);
    await time.advance(8_000);
    network.latest.ping();
    await time.advance(SILENCE_MS - 1);
    assert.equal(network.sockets.length, 1);
    await time.advance(1);
    assert.equal(network.sockets.length, 2);
  });

  it("leaves it to Engine.IO when the server has told no time", async () => {
    const { time, network } = setUp();
    network.latest.open();
    network.latest.ping();
    await time.advance(10 * SILENCE_MS);
    assert.equal(network.sockets.length, 1);
  });

  it("lets a thawed page read the one that has been waiting", async () => {
    const { time, network } = setUp();
    network.latest.open(WATCHED);
    time.freeze(10 * SILENCE_MS);
    await time.advance(0); // The timer runs before the message is read.
    network.latest.ping();
    await time.advance(SILENCE_MS - 1);
    assert.equal(network.sockets.length, 1);
  });

  it("keeps the connection while the page loads, and a second longer", async () => {
    const { time, network, page, connection } = setUp();
    network.latest.open(WATCHED);
    page.loads = true;
    await time.advance(3 * SILENCE_MS);
    page.loads = false;
    connection.loadEnded();
    await time.advance(999);
    assert.equal(network.sockets.length, 1);
    await time.advance(1);
    assert.equal(network.sockets.length, 2);
  });

  it("does not count while there is no connection", async () => {
    const { time, network, connection } = setUp();
    network.latest.open(WATCHED);
    await time.advance(5_000);
    network.latest.lose();
    network.latest.fail();
    connection.loadEnded();
    assert.equal(time.waiting, 1); // Only the next attempt is due.
  });

  it("counts no more for a connection when the next one tells no time", async () => {
    const { time, network } = setUp();
    network.latest.open(WATCHED);
    await time.advance(30_000);
    network.latest.lose();
    network.latest.open();
    await time.advance(10 * SILENCE_MS);
    assert.equal(network.sockets.length, 2);
  });

  it("counts anew on the next connection, for the time that this one tells", async () => {
    const { time, network } = setUp();
    network.latest.open(WATCHED);
    await time.advance(30_000);
    network.latest.lose();
    network.latest.open({ heartbeat_timeout_s: 20 });
    await time.advance(20_999);
    assert.equal(network.sockets.length, 2);
    await time.advance(1);
    assert.equal(network.sockets.length, 3);
  });

  it("counts anew on a connection that was made on purpose", async () => {
    const { time, network, connection } = setUp();
    network.latest.open(WATCHED);
    await time.advance(30_000);
    connection.restart("frames are missing");
    network.latest.open(WATCHED);
    await time.advance(SILENCE_MS - 1);
    assert.equal(network.sockets.length, 2);
    await time.advance(1);
    assert.equal(network.sockets.length, 3);
  });

  it("watches no more when the session has ended", async () => {
    const { time, network, connection } = setUp();
    network.latest.open(WATCHED);
    connection.close("left");
    connection.loadEnded();
    assert.equal(time.waiting, 0);
    await time.advance(10 * SILENCE_MS);
    assert.equal(network.sockets.length, 1);
  });
});
