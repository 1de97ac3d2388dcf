import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Downloads } from "../../static/js/downloads.js";
import { GraceError } from "../../static/js/errors.js";
import { ManualTime, settled } from "./fakes/manual_time.js";

/**
 * @param {Record<string, Uint8Array[] | number | Error>} files parts of a body, a status, or what
 *   fetching raises
 */
function setUp(files) {
  const time = new ManualTime();
  const downloads = new Downloads(async (url) => {
    const file = files[url];
    if (file instanceof Error) {
      throw file;
    }
    if (typeof file === "number") {
      return new Response("no", { status: file });
    }
    const body = new ReadableStream({
      start(controller) {
        for (const part of file) {
          controller.enqueue(part);
        }
        controller.close();
      },
    });
    return new Response(body);
  }, time);
  /** @type {[number, number][]} */ const told = [];
  downloads.onProgress = ({ received_bytes, total_bytes }) =>
    void told.push([received_bytes, total_bytes]);
  return { downloads, told };
}

describe("Downloads", () => {
  it("puts the parts of a file together and tells how much of everything has arrived", async () => {
    const { downloads, told } = setUp({
      a: [Uint8Array.of(1, 2), Uint8Array.of(3)],
      b: [Uint8Array.of(4)],
    });
    const [a, b] = await Promise.all([downloads.bytes("a", 3), downloads.bytes("b", 1)]);
    assert.deepEqual([...a, ...b], [1, 2, 3, 4]);
    assert.deepEqual(
      told.map(([, total]) => total),
      told.map(() => 4),
    );
    assert.deepEqual(told.at(-1), [4, 4]);
    assert.deepEqual(downloads.progress, { received_bytes: 4, total_bytes: 4 });
  });

  it("takes a file that is longer or shorter than was expected", async () => {
    const parts = Array.from({ length: 9 }, (_, index) => Uint8Array.of(index, index));
    const { downloads } = setUp({ long: parts, short: [Uint8Array.of(1)] });
    assert.equal((await downloads.bytes("long", 3)).length, 18);
    assert.equal((await downloads.bytes("short", 30)).length, 1);
  });

  it("tells no progress for less than a hundredth", async () => {
    const parts = Array.from({ length: 1000 }, () => Uint8Array.of(0));
    const { downloads, told } = setUp({ a: parts });
    await downloads.bytes("a", 1000);
    assert.equal(told.length, 100);
  });

  it("counts what somebody else reads once it was read", async () => {
    const { downloads, told } = setUp({ a: [Uint8Array.of(1, 2)] });
    const { response, read } = downloads.response("a", 2);
    await response;
    assert.deepEqual(told, []);
    read();
    assert.deepEqual(told, [[2, 2]]);
  });

  it("names a file that is missing, and one that the network keeps", async () => {
    const { downloads } = setUp({ gone: 404, cut: new TypeError("Failed to fetch") });
    await assert.rejects(downloads.bytes("gone", 1), {
      name: GraceError.name,
      message: "gone could not be fetched: HTTP 404",
    });
    await assert.rejects(downloads.text("cut"), /cut could not be fetched: .*Failed to fetch/);
  });

  it("gives up a file of which nothing more arrives, and not one that is slow", async () => {
    const time = new ManualTime();
    /** @type {ReadableStreamDefaultController | undefined} */ let network;
    const body = new ReadableStream({
      start(controller) {
        network = controller;
      },
    });
    const downloads = new Downloads(async () => new Response(body), time);
    const refused = assert.rejects(downloads.bytes("slow", 100), /nothing arrived for 20 s/);
    await settled();
    for (let part = 0; part < 5; part += 1) {
      network?.enqueue(Uint8Array.of(part));
      await settled();
      await time.advance(19_000);
    }
    assert.equal(downloads.progress.received_bytes, 5);
    await time.advance(1_000);
    await refused;
  });

  it("does not take the time for lost in which the page was blocked", async () => {
    const time = new ManualTime();
    /** @type {ReadableStreamDefaultController | undefined} */ let network;
    const body = new ReadableStream({
      start(controller) {
        network = controller;
      },
    });
    const downloads = new Downloads(async () => new Response(body), time);
    const bytes = downloads.bytes("slow", 1);
    await settled();
    time.freeze(45_000);
    await time.advance(1_000);
    network?.enqueue(Uint8Array.of(7));
    network?.close();
    assert.deepEqual([...(await bytes)], [7]);
  });

  it("gives up a file that is not answered at all", async () => {
    const time = new ManualTime();
    const downloads = new Downloads(() => new Promise(() => {}), time);
    const refused = assert.rejects(downloads.text("nowhere"), /nothing arrived for 20 s/);
    await time.advance(20_000);
    await refused;
  });

  it("cancels what has stalled, so that its connection is free", async () => {
    const time = new ManualTime();
    let cancelled = false;
    const body = new ReadableStream({
      cancel() {
        cancelled = true;
      },
    });
    const downloads = new Downloads(async () => new Response(body), time);
    const refused = assert.rejects(downloads.bytes("slow", 1), /nothing arrived/);
    await settled();
    await time.advance(20_000);
    await refused;
    assert.equal(cancelled, true);
  });

  it("gives up a text that stalls after its head", async () => {
    const time = new ManualTime();
    const downloads = new Downloads(async () => new Response(new ReadableStream({})), time);
    const refused = assert.rejects(downloads.text("slow"), /slow could not be fetched: .*nothing/);
    await settled();
    await time.advance(20_000);
    await refused;
  });
});
