import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConnectionLostError, PythonLostError } from "../../static/js/errors.js";
import { FakeGameServer } from "./fakes/fake_game_server.js";
import { GAME, makePage, tick } from "./fakes/game_page.js";
import { settled } from "./fakes/manual_time.js";

describe("RemoteGame when Python is lost", () => {
  /** Two pages that play; the first has lost Python in the middle. */
  async function lose() {
    const server = new FakeGameServer(2);
    /** @type {string[]} */ const restarts = [];
    /** @type {unknown[][]} */ const loads = [];
    const line = server.connection(0);
    const connection = {
      ...line,
      request: async (/** @type {any} */ event, /** @type {any} */ payload) => {
        if (server.pages[0] === null) {
          throw new ConnectionLostError("it is being restarted");
        }
        return line.request(event, payload);
      },
      restart: (/** @type {string} */ why) => {
        restarts.push(why);
        server.lose(0);
      },
    };
    const loading = { load: async (/** @type {unknown[]} */ ...asked) => void loads.push(asked) };
    const pages = [
      makePage({ connection, loading }),
      makePage({ connection: server.connection(1) }),
    ];
    pages.forEach(({ game }, seat) => {
      server.pages[seat] = game;
    });
    for (const { game } of pages) {
      await game.initialize();
    }
    await tick(pages, 12);
    pages[0].python.failure = new PythonLostError("the worker was lost");
    await pages[0].ticker.tick();
    await settled();
    return { server, pages, restarts, loads };
  }

  it("loads it again, and asks for all the steps by a new connection", async () => {
    const { pages, restarts, loads } = await lose();
    assert.deepEqual(restarts, ["the worker was lost"]);
    assert.deepEqual(
      loads.map(([path]) => path),
      ["fallback", "fallback"],
    );
    assert.equal(pages[0].game.frame, GAME.input_delay_frames);
    assert.equal(pages[0].phases.at(-1), "paused");
  });

  it("plays on from the step at which it was lost, by replay, and both end alike", async () => {
    const { server, pages } = await lose();
    const [lost, other] = pages;
    server.pages[0] = lost.game;
    await lost.game.resume(server.game(0, lost.game.frame));
    assert.equal(server.running, true);
    assert.deepEqual(lost.python.seeds, [7, 7]);
    await tick(pages, 60);
    assert.deepEqual(server.failures, []);
    assert.equal(lost.python.applied.length, 40);
    assert.deepEqual(lost.python.applied, other.python.applied);
  });

  it("fails for everybody when it is lost again before it has come further", async () => {
    const { server, pages } = await lose();
    const [lost] = pages;
    server.pages[0] = lost.game;
    lost.python.failure = new PythonLostError("the worker was lost");
    await lost.game.resume(server.game(0, lost.game.frame));
    // Still before the step at which it was lost before.
    await lost.ticker.tick();
    await settled();
    const [failure] = server.failures;
    assert.equal(failure.seat, 0);
    assert.match(failure.traceback, /Python was lost 2 times, the last time at frame \d+: the w/);
  });

  it("fails for everybody when it is lost for the sixth time, however far it came", async () => {
    const { server, pages } = await lose();
    const [lost] = pages;
    for (let loss = 2; loss <= 6; loss += 1) {
      assert.deepEqual(server.failures, []);
      server.pages[0] = lost.game;
      await lost.game.resume(server.game(0, lost.game.frame));
      await tick(pages, 3);
      lost.python.failure = new PythonLostError("the worker was lost");
      await lost.ticker.tick();
      await settled();
    }
    assert.match(server.failures[0].traceback, /Python was lost 6 times/);
  });

  it("tells the result after a replay when it is lost while the result is made", async () => {
    const { server, pages } = await lose();
    const [lost] = pages;
    server.pages[0] = lost.game;
    await lost.game.resume(server.game(0, lost.game.frame));
    const { result } = lost.python;
    lost.python.result = async () => {
      lost.python.result = result;
      throw new PythonLostError("the worker was lost");
    };
    const results = () => server.hashes.filter((one) => one.result);
    await tick(pages, 60);
    await settled();
    assert.deepEqual(results(), []);
    server.pages[0] = lost.game;
    await lost.game.resume(server.game(0, lost.game.frame));
    await tick(pages, 10);
    assert.deepEqual(
      results()
        .map(({ seat }) => seat)
        .sort(),
      [0, 1],
    );
    const [one, another] = results();
    assert.deepEqual({ ...one, seat: another.seat }, another);
  });
});
