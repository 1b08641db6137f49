import { describe, expect, it } from "vitest";
import type { WireMessage } from "../../../src/driver/index.js";
import { waitUntil } from "../../../tools/process/wait-until.js";
import { brokerNode } from "./broker.js";
import { connectDriver, eventually, operator, refusal, testQueue, wire } from "./rig.js";

describe("rabbitmq frames", () => {
  it("gives back every frame to an inbox that is gone, as it was, and none to one that is there", async () => {
    const { connection, returned } = await connectDriver();
    const other = await connectDriver();
    const received: WireMessage[] = [];
    const inbox = await connection.openInbox(
      (frame) => received.push(frame),
      () => {},
    );
    const gone = await other.connection.openInbox(
      () => {},
      () => {},
    );
    await other.connection.close();
    const frames = Array.from({ length: 200 }, (_, index) =>
      wire(`frame ${index}`, {
        type: "data",
        correlationId: "call",
        headers: { index: String(index) },
        persistent: false,
      }),
    );
    for (const frame of frames) {
      await connection.publish({ kind: "inbox", address: gone.address }, frame);
      await connection.publish({ kind: "inbox", address: inbox.address }, frame);
    }
    await eventually(() => returned.length === 200 && received.length === 200, "200 returned, 200 received");
    for (const [index, frame] of frames.entries()) {
      expect(returned[index]?.messageId).toBe(frame.messageId);
      expect(received[index]?.messageId).toBe(frame.messageId);
    }
    expect(returned[0]).toMatchObject({ type: "data", correlationId: "call", headers: { index: "0" } });
  });

  it("gives back what is for an address of the broker's own direct reply-to, which would end the connection", async () => {
    const { connection, returned, lost } = await connectDriver();
    const addresses = ["", ".", ".a.b", ".!!!.???", ".g2dkAA5yYWJiaXRAbG9jYWxob3N0AAAB.x"].map(
      (rest) => `amq.rabbitmq.reply-to${rest}`,
    );
    for (const address of addresses) {
      await connection.publish({ kind: "inbox", address }, wire(address, { headers: { to: address } }));
    }
    // Behind them on the same channel.
    await connection.publish({ kind: "inbox", address: "nobody's" }, wire("last", { headers: { to: "nobody's" } }));
    await eventually(() => returned.length === addresses.length + 1, "all to come back");
    expect(returned.map(({ headers }) => headers.to)).toEqual([...addresses, "nobody's"]);
    expect(lost).toEqual([]);
  });

  it("ends an inbox at stop: its address is dead at once, and nothing more is told", async () => {
    const { connection, returned } = await connectDriver();
    const received: WireMessage[] = [];
    const lost: unknown[] = [];
    const inbox = await connection.openInbox(
      (frame) => received.push(frame),
      (error) => lost.push(error),
    );
    await inbox.stop();
    await connection.publish({ kind: "inbox", address: inbox.address }, wire("late"));
    await eventually(() => returned.length === 1, "the frame to come back");
    await inbox.stop();
    expect([received, lost]).toEqual([[], []]);
  });

  it("tells an inbox, and it alone, that its queue was deleted", async () => {
    const { connection, lost } = await connectDriver();
    const tellings: string[] = [];
    const received: WireMessage[] = [];
    const one = await connection.openInbox(
      () => {},
      (error) => tellings.push(String(error)),
    );
    const two = await connection.openInbox(
      (frame) => received.push(frame),
      () => tellings.push("two"),
    );
    // Exclusive to its connection: only from inside can it be deleted.
    await brokerNode().control("delete_queue", one.address);
    await eventually(() => tellings.length === 1, "the loss");
    expect(tellings[0]).toContain("the broker ended the inbox");
    await connection.publish({ kind: "inbox", address: two.address }, wire("still here"));
    await eventually(() => received.length === 1, "a frame in the other inbox");
    expect(lost).toEqual([]);
  });

  it("sends a node's broadcast to that node alone, once, and one for all to each, once", async () => {
    const publisher = await connectDriver();
    const name = testQueue("broadcast").name;
    const seen = new Map<string, string[]>();
    for (const node of ["one", "two", "three"]) {
      const { connection } = await connectDriver();
      const bodies: string[] = [];
      seen.set(node, bodies);
      await connection.subscribe(
        name,
        node,
        ({ body }) => bodies.push(Buffer.from(body).toString()),
        () => {},
      );
    }
    for (let round = 0; round < 20; round += 1) {
      await publisher.connection.publish({ kind: "broadcast", name, node: "two" }, wire(`two ${round}`));
      await publisher.connection.publish({ kind: "broadcast", name, node: "nobody" }, wire("nobody"));
      await publisher.connection.publish({ kind: "broadcast", name }, wire(`all ${round}`));
    }
    await eventually(
      () => [20, 40, 20].join() === [...seen.values()].map((bodies) => bodies.length).join(),
      "20, 40 and 20 messages",
    );
    expect(seen.get("one")).toEqual(Array.from({ length: 20 }, (_, round) => `all ${round}`));
    expect(seen.get("two")?.slice(0, 3)).toEqual(["two 0", "all 0", "two 1"]);
    expect(publisher.returned).toEqual([]);
  });

  it("leaves no queue behind of a subscription whose receiver throws, and tells its end once", async () => {
    const { connection, lost: lostLinks } = await connectDriver();
    const { name } = testQueue("thrown at");
    const [lost, bodies]: [unknown[], string[]] = [[], []];
    const thrown = new Error("by the receiver");
    await connection.subscribe(
      name,
      "one",
      () => {
        throw thrown;
      },
      (error) => lost.push(error),
    );
    await connection.subscribe(
      name,
      "two",
      ({ body }) => bodies.push(Buffer.from(body).toString()),
      () => {},
    );
    const bindings = async (): Promise<number> => {
      const listed = await brokerNode().control("list_bindings", "source_name");
      return listed.split("\n").filter((source) => source === name).length;
    };
    expect(await bindings()).toBe(4);
    for (const body of ["first", "second"]) await connection.publish({ kind: "broadcast", name }, wire(body));
    await waitUntil(async () => (await bindings()) === 2, { what: "one queue to be gone", timeoutMs: 20_000 });
    await eventually(() => bodies.length === 2, "both at the other");
    expect([lost, lostLinks]).toEqual([[thrown], []]);
  });

  it("keeps the order of broadcasts that wait for their exchange", async () => {
    const { connection } = await connectDriver();
    const publisher = await connectDriver();
    const name = testQueue("first broadcasts").name;
    const bodies: string[] = [];
    await connection.subscribe(
      name,
      "node",
      ({ body }) => bodies.push(Buffer.from(body).toString()),
      () => {},
    );
    const sent = Array.from({ length: 50 }, (_, index) => String(index));
    await Promise.all(sent.map((body) => publisher.connection.publish({ kind: "broadcast", name }, wire(body))));
    await eventually(() => bodies.length === 50, "50 messages");
    expect(bodies).toEqual(sent);
  });

  it("holds a publisher up while its socket is full, and lets it go on", async () => {
    const { connection } = await connectDriver();
    let received = 0;
    const inbox = await connection.openInbox(
      () => {
        received += 1;
      },
      () => {},
    );
    const body = "x".repeat(50_000);
    let heldUp = 0;
    for (let index = 0; index < 1_000; index += 1) {
      let settled = false;
      const publishing = connection.publish({ kind: "inbox", address: inbox.address }, wire(body)).then(() => {
        settled = true;
      });
      await Promise.resolve();
      await Promise.resolve();
      if (!settled) heldUp += 1;
      await publishing;
    }
    expect(heldUp).toBeGreaterThan(0);
    await eventually(() => received === 1_000, "1,000 frames", 15_000);
  });

  it("loses the connection when the channel for frames is lost, for frames are gone with it", async () => {
    const link = await connectDriver();
    const { connection, lost } = link;
    const name = testQueue("lost exchange").name;
    await connection.publish({ kind: "broadcast", name }, wire("one"));
    const { deleteExchange } = await operator();
    await deleteExchange(name);
    await connection.publish({ kind: "broadcast", name }, wire("two"));
    await eventually(() => lost.length === 1, "the loss");
    expect((await refusal(link, connection.publish({ kind: "broadcast", name }, wire("three")))).code).toBe(
      "UNAVAILABLE",
    );
    await (await connectDriver()).connection.publish({ kind: "broadcast", name }, wire("four"));
  });

  it("sends a broadcast that was handed over before it closes, also the first of its name", async () => {
    const listener = await connectDriver();
    const { connection } = await connectDriver();
    const name = testQueue("last words").name;
    const heard: string[] = [];
    await listener.connection.subscribe(
      name,
      "listener",
      ({ body }) => heard.push(Buffer.from(body).toString()),
      () => {},
    );
    const sent = connection.publish({ kind: "broadcast", name }, wire("goodbye"));
    await connection.close();
    await sent;
    await eventually(() => heard.length === 1, "the broadcast");
    expect(heard).toEqual(["goodbye"]);
  });
});
