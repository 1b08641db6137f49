import { describe, expect, it } from "vitest";
import { memoryBroker } from "../../../adapters/memory/index.js";
import { message, openNode, turns, until } from "./node.js";

const ids = Array.from({ length: 100 }, (_, index) => `${index}`);

describe("an inbox in memory", () => {
  it("gets what is sent to it, in order, from any connection", async () => {
    const broker = memoryBroker();
    const [owner, sender] = [await openNode({ broker }), await openNode({ broker })];
    const seen: string[] = [];
    const inbox = await owner.connection.openInbox(
      ({ messageId }) => seen.push(messageId),
      () => {},
    );
    const other = await owner.connection.openInbox(
      () => seen.push("other"),
      () => {},
    );
    expect(other.address).not.toBe(inbox.address);
    const sent = ids.map((id) => sender.connection.publish({ kind: "inbox", address: inbox.address }, message(id)));
    expect(seen).toEqual([]);
    await Promise.all(sent);
    await until(() => seen.length === ids.length);
    expect(seen).toEqual(ids);
    expect(sender.returned).toEqual([]);
  });

  it("is gone after stop and with its connection, and the sender is told", async () => {
    const broker = memoryBroker();
    const [owner, sender] = [await openNode({ broker }), await openNode({ broker })];
    const seen: string[] = [];
    const open = () =>
      owner.connection.openInbox(
        ({ messageId }) => seen.push(messageId),
        () => {},
      );
    const [stopped, closed] = [await open(), await open()];
    const send = (address: string, id: string) => sender.connection.publish({ kind: "inbox", address }, message(id));
    await send(stopped.address, "1");
    await until(() => seen.length === 1);
    await stopped.stop();
    await send(stopped.address, "2");
    await send(closed.address, "3");
    await until(() => seen.length === 2);
    await owner.connection.close();
    await send(closed.address, "4");
    await send("nobody's", "5");
    await until(() => sender.returned.length === 3);
    expect(sender.returned).toEqual(["2", "4", "5"]);
    expect(seen).toEqual(["1", "3"]);
  });

  it("hears nothing after stop", async () => {
    const node = await openNode();
    const seen: string[] = [];
    const inbox = await node.connection.openInbox(
      ({ messageId }) => seen.push(messageId),
      () => {},
    );
    void node.connection.publish({ kind: "inbox", address: inbox.address }, message("1"));
    await inbox.stop();
    await turns();
    expect(seen).toEqual([]);
  });
});

describe("a broadcast in memory", () => {
  it("reaches every node that listens now, or the one that is named", async () => {
    const broker = memoryBroker();
    const nodes = await Promise.all(["a", "b", "c"].map(async (name) => ({ name, ...(await openNode({ broker })) })));
    const seen: string[] = [];
    const subscribe = (broadcast: string) =>
      Promise.all(
        nodes.map(({ name, connection }) =>
          connection.subscribe(
            broadcast,
            name,
            ({ messageId }) => seen.push(`${name} ${messageId}`),
            () => {},
          ),
        ),
      );
    const [first] = await subscribe("news");
    await subscribe("other news");
    const connection = nodes[0]?.connection;
    if (connection === undefined) throw new Error("no node");
    const publish = (id: string, node?: string) =>
      connection.publish({ kind: "broadcast", name: "news", node }, message(id));
    await publish("to all");
    await publish("to b", "b");
    await publish("to nobody", "d");
    await connection.publish({ kind: "broadcast", name: "no news" }, message("unheard"));
    await until(() => seen.length === 4);
    expect(seen.sort()).toEqual(["a to all", "b to all", "b to b", "c to all"]);
    await first?.stop();
    await nodes[1]?.connection.close();
    await publish("again");
    await turns();
    expect(seen.slice(4)).toEqual(["c again"]);
  });

  it("keeps the order of each publisher for each listener", async () => {
    const broker = memoryBroker();
    const [one, other] = [await openNode({ broker }), await openNode({ broker })];
    const seen: string[] = [];
    await other.connection.subscribe(
      "news",
      "other",
      ({ messageId }) => seen.push(messageId),
      () => {},
    );
    await Promise.all(ids.map((id) => one.connection.publish({ kind: "broadcast", name: "news" }, message(id))));
    await until(() => seen.length === ids.length);
    expect(seen).toEqual(ids);
  });
});
