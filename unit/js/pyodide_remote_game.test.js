import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EnvironmentError, LoadingFailedError } from "../../static/js/errors.js";
import { FakeConnection } from "./fakes/fake_connection.js";
import { FakeGameServer } from "./fakes/fake_game_server.js";
import { makePage, play, SCENE, tick } from "./fakes/game_page.js";
import { settled } from "./fakes/manual_time.js";

describe("RemoteGame.initialize", () => {
  it("loads Python by the fallback path, resets with the seed, and says that it is ready", async () => {
    const connection = new FakeConnection();
    /** @type {unknown[]} */ const loads = [];
    const load = async (/** @type {unknown[]} */ ...asked) => void loads.push(asked);
    const { game, python, phases } = makePage({ connection, loading: { load } });
    game.initialize();
    await settled();
    const environment = { url: SCENE.environment_url, config: SCENE.config };
    assert.deepEqual(loads, [["fallback", environment]]);
    assert.deepEqual(python.seeds, [7]);
    assert.deepEqual(connection.events, ["player_ready"]);
    assert.deepEqual(phases, ["matched"]);
  });

  it("says nothing when Python could not be loaded: the load has said it", async () => {
    const connection = new FakeConnection();
    const load = async () => {
      throw new LoadingFailedError("HTTP 404");
    };
    const { game } = makePage({ connection, loading: { load } });
    await game.initialize();
    assert.deepEqual(connection.events, []);
  });

  it("goes on with a game that has started when a second attempt at Python succeeds", async () => {
    const server = new FakeGameServer(2);
    server.started = true;
    server.steps.push([5, 6]);
    const connection = new FakeConnection();
    let failing = true;
    const load = async () => {
      if (failing) {
        throw new LoadingFailedError("HTTP 404");
      }
    };
    const { game, python, phases } = makePage({ connection, loading: { load } });
    await game.initialize(server.game(0, 0));
    assert.deepEqual(connection.events, []);
    failing = false;
    connection.acknowledged.add("player_ready");
    await game.initialize();
    assert.deepEqual(connection.events, ["player_ready"]);
    assert.deepEqual(python.applied, server.steps);
    assert.deepEqual(phases, ["paused", "paused"]);
  });

  it("tells the traceback of an environment that cannot be made", async () => {
    const connection = new FakeConnection();
    const { game, python } = makePage({ connection });
    python.failure = new EnvironmentError("Traceback ...\nValueError: no");
    game.initialize();
    await settled();
    assert.deepEqual(connection.events, ["environment_failed"]);
    const { traceback } = connection.latest("environment_failed").payload;
    assert.match(traceback, /ValueError: no/);
  });

  it("steps nothing before the server says that the game has started", async () => {
    const { game, python, ticker } = makePage({});
    game.initialize();
    await settled();
    assert.equal(ticker.running, false);
    assert.equal(python.applied.length, 0);
    game.run();
    await ticker.tick();
    assert.deepEqual(python.applied, [[0, 0]]);
  });

  it("brings a reloaded page to the present before it is ready", async () => {
    const server = new FakeGameServer(2);
    server.started = true;
    server.steps.push(...Array.from({ length: 22 }, (_, step) => [step % 8, 1]));
    const { game, python, phases } = makePage({ connection: server.connection(0) });
    server.pages[0] = game;
    await game.initialize(server.game(0, 0));
    assert.equal(game.frame, 25);
    assert.deepEqual(python.applied, server.steps);
    assert.deepEqual(phases, ["paused"]);
  });

  it("sends the result again from a page that was reloaded at the end", async () => {
    const server = new FakeGameServer(2);
    server.started = true;
    server.steps.push(...Array.from({ length: 40 }, () => [1, 1]));
    const { game } = makePage({ connection: server.connection(0) });
    server.pages[0] = game;
    await game.initialize(server.game(0, 0));
    assert.equal(game.frame, 40);
    assert.deepEqual(
      server.hashes.map(({ frame, result }) => ({ frame, result })),
      [{ frame: 40, result: { frames: 40 } }],
    );
  });
});

describe("RemoteGame", () => {
  it("plays an episode to the same end in both browsers", async () => {
    const { server, pages } = await play();
    await tick(pages, 60);
    assert.deepEqual(pages[0].python.applied, pages[1].python.applied);
    const finals = server.hashes.filter(({ result }) => result);
    assert.deepEqual(
      finals.map(({ seat, frame }) => [seat, frame]),
      [
        [0, 40],
        [1, 40],
      ],
    );
    assert.equal(finals[0].hash, finals[1].hash);
    assert.ok(pages.every(({ ticker }) => !ticker.running));
  });

  it("sends a digest of the state every second of the game", async () => {
    const { server, pages } = await play();
    await tick(pages, 60);
    const frames = server.hashes.filter(({ seat }) => seat === 0).map(({ frame }) => frame);
    assert.deepEqual(frames, [10, 20, 30, 40]);
  });

  it("waits for the partner's actions", async () => {
    const { pages } = await play();
    await tick([pages[0]], 30);
    assert.equal(pages[0].game.frame, 3);
  });

  it("makes up for the steps that had to wait", async () => {
    const { pages } = await play();
    await tick([pages[0]], 30);
    await pages[1].ticker.tick(4);
    await pages[0].ticker.tick();
    assert.ok(pages[0].game.frame > 4);
  });

  it("goes on after a lost connection, both in step", async () => {
    const { server, pages } = await play();
    await tick(pages, 12);
    server.lose(1);
    assert.ok(pages.every(({ ticker }) => !ticker.running));
    assert.deepEqual(
      pages.map(({ phases }) => phases.at(-1)),
      ["paused", "paused"],
    );
    server.pages[1] = pages[1].game;
    await pages[1].game.resume(server.game(1, pages[1].game.frame));
    await tick(pages, 60);
    assert.deepEqual(pages[0].python.applied, pages[1].python.applied);
    assert.equal(pages[0].python.applied.length, 40);
    assert.deepEqual(pages[1].python.seeds, [7]);
  });

  it("goes on after a reload, both in step", async () => {
    const { server, pages } = await play();
    await tick(pages, 12);
    server.lose(1);
    const reloaded = makePage({ connection: server.connection(1) });
    server.pages[1] = reloaded.game;
    await reloaded.game.initialize(server.game(1, 0));
    await tick([pages[0], reloaded], 60);
    assert.deepEqual(pages[0].python.applied, reloaded.python.applied);
    assert.equal(reloaded.python.applied.length, 40);
  });

  it("is ready once when it reconnects while Python still loads", async () => {
    const server = new FakeGameServer(2);
    let finishLoading = () => {};
    const load = () =>
      new Promise((/** @type {(value: void) => void} */ resolve) => {
        finishLoading = resolve;
      });
    const connection = new FakeConnection();
    const { game } = makePage({ connection, loading: { load } });
    game.initialize();
    await settled();
    game.connectionLost();
    game.resume(server.game(0, 0));
    await settled();
    assert.deepEqual(connection.events, []);
    finishLoading();
    await settled();
    assert.deepEqual(connection.events, ["player_ready"]);
  });

  it("tells the traceback when the environment raises, and stops", async () => {
    const { server, pages } = await play();
    await tick(pages, 5);
    pages[0].python.failure = new EnvironmentError("Traceback ...\nZeroDivisionError: no");
    await tick(pages, 5);
    assert.deepEqual(
      server.failures.map(({ seat, frame, traceback }) => ({ seat, frame, traceback })),
      [{ seat: 0, frame: 5, traceback: "Traceback ...\nZeroDivisionError: no" }],
    );
    assert.equal(pages[0].ticker.running, false);
  });

  it("asks for a new connection when steps are missing", async () => {
    const connection = new FakeConnection();
    const { game } = makePage({ connection });
    game.initialize();
    await settled();
    await game.deliver({ game_id: "g_1", from_frame: 9, actions: [[1, 1]] });
    assert.equal(connection.restarts.length, 1);
  });

  it("does nothing more once it has ended", async () => {
    const { pages } = await play();
    await tick(pages, 5);
    pages[0].game.end();
    const { frame } = pages[0].game;
    await tick(pages, 5);
    assert.equal(pages[0].game.frame, frame);
    assert.equal(pages[0].phases.at(-1), "ended");
  });
});
