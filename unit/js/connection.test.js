import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  CancelledError,
  ConnectionLostError,
  RefusedError,
  SessionOverError,
} from "../../static/js/errors.js";
import { setUp } from "./fakes/connected_page.js";
import { settled } from "./fakes/manual_time.js";

describe("Connection", () => {
  it("uses a WebSocket only and leaves reconnecting to the page", () => {
    const { network } = setUp();
    const { transports, reconnection, forceNew } = network.latest.options;
    assert.deepEqual(transports, ["websocket"]);
    assert.equal(reconnection, false);
    assert.equal(forceNew, true);
  });

  it("is open from session_opened on, and not before", () => {
    const { network, connection } = setUp();
    network.latest.handshake();
    network.latest.connected = true;
    assert.equal(connection.status, "connecting");
    assert.equal(connection.send("player_action", {}), false);
    network.latest.open();
    assert.equal(connection.status, "connected");
    assert.equal(connection.send("player_action", {}), true);
  });

  it("passes over events that come before session_opened", () => {
    const { network, connection } = setUp();
    let heard = 0;
    connection.on("waiting_room", () => {
      heard += 1;
    });
    network.latest.receive("waiting_room", {});
    assert.equal(heard, 0);
    network.latest.open();
    network.latest.receive("waiting_room", {});
    assert.equal(heard, 1);
  });

  it("says anew at every CONNECT who it is and how it stands", async () => {
    const { time, network } = setUp();
    network.latest.open();
    await time.advance(5_000);
    network.latest.lose();
    network.latest.open();
    const restated = network.sockets.map(({ auth }) => Object(auth).last_frame);
    assert.deepEqual(restated, [1, 2]);
  });

  it("connects again at once when the connection is lost, by a new socket", async () => {
    const { time, network, statuses } = setUp();
    network.latest.open();
    time.freeze(28_000);
    network.latest.lose("ping timeout");
    assert.equal(network.sockets.length, 2);
    network.latest.open({ epoch: 2, resumed: true });
    assert.deepEqual(
      statuses.map(([status]) => status),
      ["connected", "lost", "connected"],
    );
  });

  it("hears nothing more of a socket that was replaced", async () => {
    const { time, network, statuses } = setUp();
    const [first] = network.sockets;
    first.open();
    await time.advance(5_000);
    first.lose();
    network.latest.open();
    first.receive("session_taken_over", {});
    first.lose();
    assert.equal(network.sockets.length, 2);
    assert.deepEqual(statuses.at(-1), ["connected", undefined]);
  });

  it("gives up an attempt that brings no session, and tries again later", async () => {
    const { time, network } = setUp();
    network.latest.handshake();
    await time.advance(11_000);
    assert.equal(network.sockets[0].closed, true);
    await time.advance(500);
    assert.equal(network.sockets.length, 2);
  });

  it("lets a thawed page read what has come before it gives an attempt up", async () => {
    const { time, network, connection } = setUp();
    network.latest.handshake();
    time.freeze(20_000);
    await time.advance(0); // The timer of the attempt runs before the message is read.
    network.latest.open();
    await time.advance(20_000);
    assert.equal(connection.status, "connected");
    assert.equal(network.sockets.length, 1);
  });

  it("hurries an attempt that is due later", async () => {
    const { network, connection } = setUp();
    network.latest.fail();
    assert.equal(network.sockets.length, 1);
    connection.hurry();
    assert.equal(network.sockets.length, 2);
  });

  for (const code of ["session_expired", "invalid_auth", "unknown_study"]) {
    it(`stops trying when the server says ${code}`, async () => {
      const { time, network, statuses, connection } = setUp();
      network.latest.refuse(code);
      await time.advance(60_000);
      assert.equal(network.sockets.length, 1);
      assert.deepEqual(statuses, [["over", code]]);
      assert.equal(connection.ended, true);
    });
  }

  for (const code of ["server_stopping", "rate_limited"]) {
    it(`tries again later when the server says ${code}`, async () => {
      const { time, network } = setUp();
      network.latest.refuse(code);
      await time.advance(500);
      assert.equal(network.sockets.length, 2);
    });
  }

  it("does not try again when another page has taken the session over", async () => {
    const { time, network, statuses, connection } = setUp();
    network.latest.open();
    const pending = connection.request("join_game", {});
    network.latest.receive("session_taken_over", {});
    await assert.rejects(pending, SessionOverError);
    await time.advance(60_000);
    assert.equal(network.sockets.length, 1);
    assert.equal(network.latest.closed, true);
    assert.deepEqual(statuses.at(-1), ["taken_over", "session_taken_over"]);
  });

  it("records heartbeats, connections and losses", async () => {
    const { time, log, network } = setUp();
    network.latest.open();
    network.latest.ping();
    await time.advance(2_000);
    network.latest.lose();
    const events = log.entries.map(({ event }) => event);
    assert.deepEqual(events, [
      "connecting",
      "connection_opened",
      "heartbeat_seen",
      "connection_lost",
      "connecting",
    ]);
    assert.equal(log.entries[1].ping_interval_ms, 8000);
  });

  it("makes a new connection when asked to, and only while it has one", async () => {
    const { time, network, connection } = setUp();
    connection.restart("too early");
    assert.equal(network.sockets.length, 1);
    network.latest.open();
    await time.advance(5_000);
    connection.restart("frames are missing");
    assert.equal(network.sockets[0].closed, true);
    assert.equal(network.sockets.length, 2);
  });
});

describe("Connection.request", () => {
  it("waits for an open session", async () => {
    const { network, connection } = setUp();
    const answer = connection.request("join_game", {});
    assert.deepEqual(network.latest.events, []);
    network.latest.open();
    network.latest.acknowledge("join_game", { ok: true, place: "waiting" });
    assert.deepEqual(await answer, { ok: true, place: "waiting" });
  });

  it("is sent again on the next connection until it is acknowledged", async () => {
    const { time, network, connection } = setUp();
    network.latest.open();
    const answer = connection.request("pyodide_loading_complete", { attempt_id: "a" });
    time.freeze(28_000);
    network.latest.lose();
    network.latest.open();
    assert.deepEqual(network.latest.events, ["pyodide_loading_complete"]);
    network.latest.acknowledge("pyodide_loading_complete");
    await answer;
    await time.advance(60_000);
    assert.deepEqual(network.latest.events, ["pyodide_loading_complete"]);
  });

  it("is sent again when no acknowledgement comes", async () => {
    const { time, network, connection } = setUp();
    network.latest.open();
    const answer = connection.request("leave", {});
    await time.advance(5_000);
    assert.deepEqual(network.latest.events, ["leave", "leave"]);
    network.latest.acknowledge("leave");
    await answer;
  });

  it("keeps the order in which things were said", async () => {
    const { network, connection } = setUp();
    connection.request("pyodide_loading_complete", {});
    connection.request("player_ready", {});
    network.latest.open();
    assert.deepEqual(network.latest.events, ["pyodide_loading_complete", "player_ready"]);
  });

  it("fails with the code when the server refuses it", async () => {
    const { network, connection } = setUp();
    network.latest.open();
    const answer = connection.request("join_game", {});
    const error = { code: "out_of_turn", message: "this game has been played" };
    network.latest.acknowledge("join_game", { ok: false, error });
    await assert.rejects(answer, (refused) => {
      assert.ok(refused instanceof RefusedError);
      assert.equal(refused.code, "out_of_turn");
      return true;
    });
    assert.equal(connection.status, "connected");
  });

  it("is sent again later when there were too many messages", async () => {
    const { time, network, connection } = setUp();
    network.latest.open();
    const answer = connection.request("join_game", {});
    const error = { code: "rate_limited", message: "too many messages" };
    network.latest.acknowledge("join_game", { ok: false, error });
    await time.advance(5_000);
    network.latest.acknowledge("join_game");
    await answer;
    assert.deepEqual(network.latest.events, ["join_game", "join_game"]);
  });

  it("ends the session when the answer says that it is over", async () => {
    const { network, statuses, connection } = setUp();
    network.latest.open();
    const answer = connection.request("advance_scene", {});
    const error = { code: "session_over", message: "this session is over" };
    network.latest.acknowledge("advance_scene", { ok: false, error });
    await assert.rejects(answer, RefusedError);
    assert.deepEqual(statuses.at(-1), ["over", "session_over"]);
    await assert.rejects(connection.request("leave", {}), SessionOverError);
  });

  it("fails at a loss when it is not worth saying again", async () => {
    const { time, network, connection } = setUp();
    network.latest.open();
    const answer = connection.request("player_ready", {}, { resend: false });
    await time.advance(2_000);
    network.latest.lose();
    await assert.rejects(answer, ConnectionLostError);
    network.latest.open();
    assert.deepEqual(network.latest.events, []);
  });

  it("tells each time that it was handed to an open connection", () => {
    const { network, connection } = setUp();
    let sent = 0;
    const onSent = () => {
      sent += 1;
    };
    connection.request("pyodide_loading_start", {}, { onSent });
    assert.equal(sent, 0);
    network.latest.open();
    assert.equal(sent, 1);
  });

  it("is forgotten when it is given up", async () => {
    const { time, network, connection } = setUp();
    const giveUp = new AbortController();
    const answer = connection.request("pyodide_loading_start", {}, { signal: giveUp.signal });
    giveUp.abort();
    await assert.rejects(answer, CancelledError);
    network.latest.open();
    await settled();
    assert.deepEqual(network.latest.events, []);
    await time.advance(60_000);
    assert.deepEqual(network.latest.events, []);
  });
});
