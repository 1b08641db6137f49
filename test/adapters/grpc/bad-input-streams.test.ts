import { connect, createServer, type Server, type Socket } from "node:net";
import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { Stopwatch } from "../../../src/contract/stopwatch.js";
import { disconnect, EventsReader, eventsClient, PostCall } from "./events-rig.js";
import { acknowledge, closeClient, GrpcRig, post, Reader, type RigOptions, subscribe, until } from "./rig.js";
import { encode, text, WireClient } from "./wire-client.js";

const SUBSCRIBE = "/queue.QueueApi/SubscribeEvents";
const CLOSE = "/queue.QueueApi/Close";

/** In all; 100,000 is the full form. */
const SUBSCRIBERS = Number(process.env["FAIRLEAD_TEST_SUBSCRIBERS"] ?? 5_000);
const AT_ONCE = 100;
const MEBIBYTE = 1_048_576;
/** With the defaults, 10 s and 3 s, it takes longer: then the options were not obeyed. */
const KEEPALIVE_BOUND_MS = 9_000;

/** A link that can be cut without either end being told. */
class Link {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(target: string) {
    const [host, port] = target.split(":");
    this.#server = createServer((near) => {
      const far = connect(Number(port), host);
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => this.#sockets.delete(socket));
      }
      near.pipe(far);
      far.pipe(near);
    });
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    return `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  }

  /** From now on nothing passes, and both ends stay open. */
  halfOpen(): void {
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

describe("streams that are misused", () => {
  let rig: GrpcRig;
  const closers: (() => void)[] = [];

  const start = async (options: RigOptions = {}): Promise<void> => {
    rig = await GrpcRig.start(options);
  };
  afterEach(async () => {
    for (const close of closers.splice(0)) close();
    await rig.close();
  });

  it(`${SUBSCRIBERS} subscribers that come and go leave nothing behind`, async () => {
    await start();
    const client = new WireClient(rig.address);
    closers.push(() => client.close());
    const comeAndGo = async (id: string): Promise<void> => {
      const stream = client.call(SUBSCRIBE, encode([[1, text(id)]]));
      // Every other one is closed before it can have seen an answer.
      if (id.endsWith("1")) await until(() => stream.headersCame);
      const close = client.call(CLOSE, encode([[1, text(id)]]));
      expect([await stream.ended, await close.ended]).toEqual([status.OK, status.OK]);
    };
    const rounds = async (count: number, prefix: string): Promise<void> => {
      for (let round = 0; round < count; round += 1) {
        client.log.length = 0;
        await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => comeAndGo(`${prefix}-${round}-${index}`)));
      }
    };
    await rounds(5, "warm");
    const before = process.memoryUsage().rss;
    await rounds(Math.ceil(SUBSCRIBERS / AT_ONCE), "reader");
    const grown = (process.memoryUsage().rss - before) / MEBIBYTE;
    expect(rig.events.counts).toMatchObject({ subscribers: 0, waitingSubscribes: 0, outstanding: 0 });
    // Client and server, before the collector has been through; 100,000 need no more.
    if (SUBSCRIBERS > 5_000) console.log(`${SUBSCRIBERS} subscribers: grown by ${grown.toFixed(0)} MiB`);
    expect(grown).toBeLessThan(250);
    const own = rig.client();
    const reader = await subscribe(own, "reader", acknowledge(own));
    await post(own, { eventJson: "still here" });
    await until(() => reader.received.length === 1);
  }, 1_200_000);

  it("1,000 subscribers of one client at once end with OK but for the last, and not quickly", async () => {
    await start({ events: { subscribeIntervalMs: 300 } });
    const client = rig.client();
    const started = Date.now();
    const ends: number[] = [];
    const readers = Array.from({ length: 1_000 }, () => new Reader(client.SubscribeEvents({ clientId: "me" })));
    for (const reader of readers) reader.call.once("end", () => ends.push(Date.now() - started));
    await until(() => ends.length === 999);
    expect(Math.min(...ends)).toBeGreaterThanOrEqual(299);
    expect(readers.filter(({ outcome }) => outcome === "OK").length).toBe(999);
    expect(rig.events.counts).toMatchObject({ subscribers: 1, waitingSubscribes: 0 });
    await closeClient(client, "me");
  });

  it("a subscriber behind a half-open socket is gone after the keepalive, and its events move", async () => {
    await start({ grpc: { keepaliveTimeMs: 150, keepaliveTimeoutMs: 4_000 }, events: { ackTimeoutMs: 60_000 } });
    const link = new Link(rig.address);
    closers.push(() => link.close());
    const address = await link.open();
    const doomed = eventsClient(address);
    closers.push(() => disconnect(doomed));
    const dead = new EventsReader(doomed);
    dead.call.write({ clientId: "dead", credit: 5 });
    await until(() => rig.events.counts.subscribers === 1);
    const own = rig.client();
    for (let index = 0; index < 5; index += 1) await post(own, { eventJson: `${index}` });
    await until(() => dead.received.length === 5);
    const watch = new Stopwatch();
    link.halfOpen();
    const reader = await subscribe(own, "alive", acknowledge(own));
    await until(() => reader.received.length === 5);
    expect(watch.undisturbedMs).toBeLessThan(KEEPALIVE_BOUND_MS);
    expect(rig.events.counts).toMatchObject({ subscribers: 1, lost: 5, timedOut: 0 });
  });

  it("a poster behind a half-open socket is no burden to others", async () => {
    await start({ grpc: { keepaliveTimeMs: 150, keepaliveTimeoutMs: 4_000 } });
    const link = new Link(rig.address);
    closers.push(() => link.close());
    const address = await link.open();
    const doomed = eventsClient(address);
    const fine = eventsClient(rig.address);
    closers.push(
      () => disconnect(doomed),
      () => disconnect(fine),
    );
    const dead = new PostCall(doomed);
    dead.post({});
    await until(() => dead.results.size === 1);
    rig.broker.freeze();
    let taken = 0;
    for (let index = 0; index < 40; index += 1) {
      dead.call.write({ events: [{ body: Buffer.alloc(MEBIBYTE) }] }, () => {
        taken += 1;
      });
    }
    await until(() => taken > 10);
    const watch = new Stopwatch();
    link.halfOpen();
    rig.broker.thaw();
    const stream = new PostCall(fine);
    stream.post({}, {}, {});
    await stream.finish();
    expect(watch.undisturbedMs).toBeLessThan(KEEPALIVE_BOUND_MS);
    expect([1, 2, 3].map((sequence) => stream.status(sequence))).toEqual([status.OK, status.OK, status.OK]);
  });
});
