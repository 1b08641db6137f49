import assert from "node:assert";
import type { DriverConnection, DriverResource, WireMessage } from "../../driver/index.js";
import type { ContractCase } from "../case.js";
import type { ContractContext } from "../context.js";
import type { Collector } from "../probe.js";
import { numbered, text } from "../text.js";
import { draw, spec, wire } from "./steps.js";

interface Receiving<R extends DriverResource> {
  readonly resource: R;
  readonly frames: Collector<WireMessage>;
}

async function inbox(context: ContractContext, connection: DriverConnection) {
  const frames = context.collector<WireMessage>("frames", (frame) => text(frame.body));
  const resource = await context.soon(
    connection.openInbox(frames.add, () => {}),
    "openInbox",
  );
  return { resource, frames } satisfies Receiving<typeof resource>;
}

async function subscribe(context: ContractContext, connection: DriverConnection, name: string, node: string) {
  const frames = context.collector<WireMessage>("frames", (frame) => text(frame.body));
  const subscribing = connection.subscribe(name, node, frames.add, () => {});
  const resource = await context.soon(subscribing, "subscribe");
  return { resource, frames } satisfies Receiving<typeof resource>;
}

function words(frames: Collector<WireMessage>): string[] {
  return frames.items.map((frame) => text(frame.body));
}

/** Inboxes and broadcasts. */
export const driverFrameCases: readonly ContractCase[] = [
  {
    id: "D-22",
    sentence: "frames to an inbox arrive in order, with all their fields, from another connection too",
    async run(context) {
      const receiver = await context.link();
      const sender = await context.link();
      const { resource, frames } = await inbox(context, receiver.connection);
      const bodies = numbered("f", 500);
      const to = { kind: "inbox", address: resource.address } as const;
      const sending = bodies.map((body) =>
        sender.connection.publish(to, wire(body, { type: "data", correlationId: body })),
      );
      await context.soon(Promise.all(sending), "500 frames");
      await frames.count(500);
      assert.deepEqual(words(frames), bodies);
      assert.equal(frames.items[499]?.type, "data");
      assert.equal(frames.items[499]?.correlationId, "f-499");
    },
  },
  {
    id: "D-23",
    sentence: "each inbox has an address of its own, and gets its own frames only",
    async run(context) {
      const one = await context.link();
      const two = await context.link();
      const inboxes = [
        await inbox(context, one.connection),
        await inbox(context, one.connection),
        await inbox(context, two.connection),
      ];
      const addresses = inboxes.map(({ resource }) => resource.address);
      assert.equal(new Set(addresses).size, 3);
      for (const address of addresses) {
        assert.ok(address.length > 0, "an address is not empty");
        await context.soon(two.connection.publish({ kind: "inbox", address }, wire(address)), "frame");
      }
      for (const { resource, frames } of inboxes) {
        await frames.count(1);
        assert.deepEqual(words(frames), [resource.address]);
      }
    },
  },
  {
    id: "D-24",
    sentence: "a frame to an inbox that is gone comes back to its sender, with its fields",
    async run(context) {
      const receiver = await context.link();
      const sender = await context.link();
      const { resource, frames } = await inbox(context, receiver.connection);
      const to = { kind: "inbox", address: resource.address } as const;
      await context.soon(sender.connection.publish(to, wire("heard")), "frame");
      await frames.count(1);
      await context.soon(receiver.connection.close(), "close of the inbox's connection");
      const frame = wire("unheard", { correlationId: "call-1", type: "data" });
      await context.soon(sender.connection.publish(to, frame), "frame to an inbox that is gone");
      const returned = await sender.returned.at(0);
      assert.equal(returned.messageId, frame.messageId);
      assert.equal(returned.correlationId, "call-1");
      assert.equal(returned.type, "data");
      assert.equal(frames.items.length, 1);
    },
  },
  {
    id: "D-25",
    sentence: "a stopped inbox gets nothing more; what is sent to it comes back",
    async run(context) {
      const receiver = await context.link();
      const sender = await context.link();
      const { resource, frames } = await inbox(context, receiver.connection);
      await context.soon(resource.stop(), "stop");
      const to = { kind: "inbox", address: resource.address } as const;
      await context.soon(sender.connection.publish(to, wire("unheard")), "frame to a stopped inbox");
      await sender.returned.count(1);
      assert.equal(frames.items.length, 0);
    },
  },
  {
    id: "D-26",
    sentence:
      "request and reply: the reply finds the caller by replyTo and correlationId, whether before or after the confirm",
    async run(context) {
      const caller = await context.link();
      const server = await context.link();
      const queue = spec(context, "requests");
      await draw(context, server, queue, 50, ({ delivery }) => {
        const { replyTo = "", correlationId } = delivery.message;
        const reply = wire(delivery.message.body, { correlationId, type: "reply" });
        // A failed reply shows as a missing one.
        server.connection.publish({ kind: "inbox", address: replyTo }, reply).catch(() => undefined);
        void delivery.settle("ack");
      });
      const { resource, frames } = await inbox(context, caller.connection);
      const calls = numbered("call", 100);
      const publishing = calls.map((call) =>
        caller.connection.publish(
          { kind: "queue", queue },
          wire(call, { correlationId: call, replyTo: resource.address, type: "request" }),
        ),
      );
      await context.soon(Promise.all(publishing), "the confirms of 100 requests");
      await frames.count(100);
      assert.deepEqual(new Set(frames.items.map((frame) => frame.correlationId)), new Set(calls));
      for (const frame of frames.items) assert.equal(text(frame.body), frame.correlationId);
    },
  },
  {
    id: "D-27",
    sentence: "a broadcast reaches all who subscribe, or the one node that it is addressed to",
    async run(context) {
      const name = context.name("broadcast");
      const one = await subscribe(context, (await context.link()).connection, name, "node-1");
      const two = await subscribe(context, (await context.link()).connection, name, "node-2");
      const { connection } = await context.link();
      await context.soon(connection.publish({ kind: "broadcast", name }, wire("all")), "broadcast");
      await context.soon(connection.publish({ kind: "broadcast", name, node: "node-2" }, wire("node")), "broadcast");
      await context.soon(connection.publish({ kind: "broadcast", name }, wire("marker")), "broadcast");
      await one.frames.count(2);
      await two.frames.count(3);
      assert.deepEqual(words(one.frames), ["all", "marker"]);
      assert.deepEqual(words(two.frames), ["all", "node", "marker"]);
    },
  },
  {
    id: "D-28",
    sentence: "a broadcast that nobody hears resolves, and does not come back",
    async run(context) {
      const name = context.name("unheard");
      const { connection, returned } = await context.link();
      await context.soon(connection.publish({ kind: "broadcast", name }, wire("one")), "broadcast");
      await context.soon(connection.publish({ kind: "broadcast", name, node: "nobody" }, wire("two")), "broadcast");
      // An inbox that works comes after whatever would have been returned on this connection.
      const { resource, frames } = await inbox(context, connection);
      await context.soon(connection.publish({ kind: "inbox", address: resource.address }, wire("marker")), "frame");
      await frames.count(1);
      assert.equal(returned.items.length, 0);
    },
  },
  {
    id: "D-29",
    sentence: "after stop a subscription hears nothing; others on its connection go on",
    async run(context) {
      const name = context.name("stop");
      const { connection } = await context.link();
      const stopped = await subscribe(context, connection, name, "node-1");
      const other = await subscribe(context, connection, name, "node-2");
      await context.soon(stopped.resource.stop(), "stop");
      const sender = await context.link();
      await context.soon(sender.connection.publish({ kind: "broadcast", name }, wire("one")), "broadcast");
      await other.frames.count(1);
      assert.equal(stopped.frames.items.length, 0);
      await context.soon(stopped.resource.stop(), "a second stop");
    },
  },
];
