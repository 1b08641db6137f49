import { describe, expect, it } from "vitest";
import { memoryBroker } from "../../../adapters/memory/index.js";
import type { Random } from "../../../src/ports/clock.js";
import { VirtualClock } from "../../support/virtual-clock.js";
import { message, ORDERS, openNode, Taker, toOrders } from "./node.js";

/** A fixed sequence of numbers that look random. */
function seeded(seed: number): Random {
  let state = seed;
  const fraction = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return { fraction, uuid: () => `uuid-${fraction()}` };
}

async function slowNodes(seed: number, minMs: number, maxMs: number) {
  const clock = new VirtualClock();
  const broker = memoryBroker({ clock, random: seeded(seed) });
  const open = async () => {
    const opening = openNode({ broker, latency: { minMs, maxMs } });
    await clock.pass(maxMs);
    return opening;
  };
  /** Starts it, and lets the time pass that it takes. */
  const wait = async <T>(start: () => Promise<T>): Promise<T> => {
    const promise = start();
    await clock.pass(2 * maxMs);
    return promise;
  };
  return { clock, broker, wait, nodes: [await open(), await open()] as const };
}

const ids = Array.from({ length: 200 }, (_, index) => `${index}`);

describe("latency in memory", () => {
  it("lets each way take its time: connect, publish, confirm, delivery, settlement", async () => {
    const { clock, broker, nodes, wait } = await slowNodes(1, 10, 10);
    const node = nodes[0];
    const taker = await wait(() => node.consume(1));
    const began = clock.now();
    const events: string[] = [];
    const note = (what: string) => events.push(`${what} ${clock.now() - began}`);
    void node.publish("1").then(() => note("confirmed"));
    await clock.pass(9);
    expect(broker.count("orders")).toMatchObject({ ready: 0, unsettled: 0 });
    await clock.pass(1);
    expect(broker.count("orders")).toMatchObject({ unsettled: 1 });
    expect(taker.ids).toEqual([]);
    await clock.pass(10);
    expect(events).toEqual(["confirmed 20"]);
    expect(taker.ids).toEqual(["1"]);
    void taker
      .delivery(0)
      .settle("ack")
      .then((reached) => note(`settled ${reached}`));
    await clock.pass(9);
    expect(broker.count("orders")).toMatchObject({ unsettled: 1 });
    await clock.pass(1);
    expect(events).toEqual(["confirmed 20", "settled true 30"]);
    expect(broker.count("orders")).toMatchObject({ unsettled: 0 });
    expect(clock.pending).toBe(0);
  });

  it.each([1, 2, 3])("keeps the order of queues, inboxes and broadcasts (seed %i)", async (seed) => {
    const { clock, nodes, wait } = await slowNodes(seed, 0, 50);
    const [one, other] = nodes;
    const taker = await wait(() => other.consume(ids.length));
    const frames: string[] = [];
    const news: string[] = [];
    const inbox = await wait(() =>
      other.connection.openInbox(
        ({ messageId }) => frames.push(messageId),
        () => {},
      ),
    );
    await wait(() =>
      other.connection.subscribe(
        "news",
        "b",
        ({ messageId }) => news.push(messageId),
        () => {},
      ),
    );
    const confirmed: string[] = [];
    for (const id of ids) {
      await clock.pass(1);
      void one.connection.publish(toOrders, message(id)).then(() => confirmed.push(id));
      void one.connection.publish({ kind: "inbox", address: inbox.address }, message(id));
      void one.connection.publish({ kind: "broadcast", name: "news" }, message(id));
    }
    await clock.pass(200);
    expect(taker.ids).toEqual(ids);
    expect(frames).toEqual(ids);
    expect(news).toEqual(ids);
    expect(confirmed).toEqual(ids);
  });

  it("may bring a delivery before its confirm", async () => {
    const { clock, nodes, wait } = await slowNodes(4, 0, 50);
    const taker = await wait(() => nodes[1].consume(ids.length));
    let early = 0;
    for (const id of ids.slice(0, 50)) {
      let seenFirst = false;
      const publishing = nodes[0].publish(id).then(() => {
        if (taker.ids.includes(id)) seenFirst = true;
      });
      await clock.pass(200);
      await publishing;
      if (seenFirst) early += 1;
    }
    expect(early).toBeGreaterThan(0);
    expect(early).toBeLessThan(50);
  });

  it("loses what is under way with the connection: publishes, confirms, deliveries, settlements", async () => {
    const { clock, broker, nodes, wait } = await slowNodes(5, 10, 10);
    const [node, other] = nodes;
    const taker = await wait(() => node.consume(10));
    await wait(() => node.publish("1", "2"));
    expect(taker.ids).toEqual(["1", "2"]);
    const code = (promise: Promise<unknown>) => promise.then(String, (error: { code: string }) => error.code);
    const delivered = code(other.publish("delivery under way"));
    await clock.pass(5);
    const settledInTime = code(taker.delivery(0).settle("ack"));
    const stored = code(other.publish("confirm under way"));
    await clock.pass(10);
    const settledLate = code(taker.delivery(1).settle("ack"));
    const published = code(other.publish("publish under way"));
    await clock.pass(1);
    broker.dropConnections();
    await clock.pass(100);
    expect(await Promise.all([delivered, stored, published])).toEqual(["UNAVAILABLE", "UNAVAILABLE", "UNAVAILABLE"]);
    expect(await Promise.all([settledInTime, settledLate])).toEqual(["true", "false"]);
    expect(taker.ids).toEqual(["1", "2"]);
    expect(clock.pending).toBe(0);

    const opening = openNode({ broker });
    await clock.settle();
    const rest = await (await opening).consume(10);
    expect(await rest.taken(3)).toEqual(["2", "delivery under way", "confirm under way"]);
    expect(rest.deliveries.map(({ deliveries }) => deliveries)).toEqual([2, 2, 2]);
  });

  it("gives back what a stopped or shrunk consumer has not seen yet", async () => {
    const { clock, broker, nodes, wait } = await slowNodes(6, 10, 10);
    const node = nodes[0];
    await wait(() => node.publish("1", "2", "3"));
    const starting = Taker.start(node.connection, 3, ORDERS);
    await clock.pass(10);
    const taker = await starting;
    await clock.pass(1);
    expect(broker.count("orders")).toMatchObject({ unsettled: 3 });
    const shrinking = taker.consumer.setPrefetch(0);
    await clock.pass(20);
    await shrinking;
    expect(taker.ids).toEqual(["1", "2", "3"]);

    broker.dropConsumers("orders");
    const again = Taker.start(node.connection, 2, ORDERS);
    await clock.pass(10);
    const stopped = await again;
    await clock.pass(1);
    expect(broker.count("orders")).toMatchObject({ ready: 1, unsettled: 2 });
    const stopping = stopped.consumer.stop();
    await clock.pass(50);
    await stopping;
    expect(stopped.ids).toEqual([]);
    expect(broker.count("orders")).toMatchObject({ ready: 3, unsettled: 0 });
    const last = await wait(() => node.consume(10));
    await clock.pass(20);
    expect(last.ids).toEqual(["1", "2", "3"]);
    // Seen once and lost once; what the stopped consumer never saw does not count.
    expect(last.deliveries.map(({ deliveries }) => deliveries)).toEqual([2, 2, 2]);
  });

  it("brings what was handed over before a close to the broker", async () => {
    const { clock, broker, nodes, wait } = await slowNodes(7, 10, 10);
    const node = nodes[0];
    await wait(() => node.publish("1"));
    const taker = await wait(() => node.consume(1));
    await clock.pass(10);
    const settling = taker.delivery(0).settle("ack");
    const publishing = node.publish("2");
    await node.connection.close();
    expect(await settling).toBe(true);
    await publishing;
    expect(broker.count("orders")).toMatchObject({ ready: 1, unsettled: 0 });
  });
});
