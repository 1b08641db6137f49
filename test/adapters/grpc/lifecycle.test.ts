import { createServer } from "node:net";
import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { createGrpcGateway } from "../../../adapters/grpc/index.js";
import { HealthClient } from "./health-client.js";
import { ack, closeClient, GrpcRig, post, Reader, subscribe, until } from "./rig.js";
import { encode, text, WireClient } from "./wire-client.js";

describe("the gateway", () => {
  let rig: GrpcRig;
  let health: HealthClient | undefined;

  const check = (service: string): Promise<string> => {
    health ??= new HealthClient(rig.address);
    return health.check(service);
  };

  afterEach(async () => {
    health?.close();
    health = undefined;
    await rig.close();
  });

  it("resolves start with the address that clients can reach, and once only", async () => {
    rig = new GrpcRig();
    const [first, second] = await Promise.all([rig.gateway.start(), rig.gateway.start()]);
    expect(first).toBe(second);
    expect(first).toMatch(/^127\.0\.0\.1:\d+$/);
    rig.address = first;
    await post(rig.client(), { eventJson: "e" });
  });

  it("listens on IPv6, and says so as clients write it", async () => {
    rig = new GrpcRig({ grpc: { listen: "[::1]:0" } });
    rig.address = await rig.gateway.start();
    expect(rig.address).toMatch(/^\[::1\]:\d+$/);
    await post(rig.client(), { eventJson: "e" });
  });

  it("rejects start in one clear line when the port is in use", async () => {
    rig = await GrpcRig.start();
    const other = createGrpcGateway({ events: rig.events, listen: rig.address });
    await expect(other.start()).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
      message: `listen on ${rig.address}: the port is in use; choose another`,
    });
    await other.close();
    await post(rig.client(), { eventJson: "the first one goes on" });
  });

  it("rejects start in one clear line for an address that is not this machine's", async () => {
    rig = new GrpcRig({ grpc: { listen: "192.0.2.1:0", insecure: true } });
    await expect(rig.gateway.start()).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: "listen on 192.0.2.1:0: this machine does not have the address",
    });
  });

  it("is SERVING from the start, for the server and its services of events, and knows no other service", async () => {
    rig = await GrpcRig.start();
    expect(await check("")).toBe("SERVING");
    expect(await check("queue.QueueApi")).toBe("SERVING");
    expect(await check("fairlead.v1.Events")).toBe("SERVING");
    await expect(check("other")).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  it("drains: NOT_SERVING, no listening, no posts, acks taken, new streams unanswered; then the streams end", async () => {
    rig = await GrpcRig.start();
    const client = rig.client();
    const reader = await subscribe(client, "reader");
    const idle = await subscribe(client, "idle");
    await post(client, { eventJson: "a" });
    await until(() => reader.received.length + idle.received.length === 1);
    const holder = reader.received.length === 1 ? reader : idle;
    await check("");

    let isClosed = false;
    const closing = rig.gateway.close().then(() => {
      isClosed = true;
    });
    expect(await check("")).toBe("NOT_SERVING");
    expect(await check("queue.QueueApi")).toBe("NOT_SERVING");
    await expect(post(client, { eventJson: "b" })).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: "this server is shutting down; post to another",
    });
    const late = new Reader(client.SubscribeEvents({ clientId: "late" }));
    await until(() => late.headersCame);
    await rig.events.post({ body: Buffer.from("from another server") });
    const successor = createServer();
    const [host, port] = rig.address.split(":");
    await new Promise<void>((resolve, reject) => {
      successor.once("error", reject);
      successor.listen(Number(port), host, resolve);
    });
    successor.close();
    expect([reader.outcome, idle.outcome, late.outcome, isClosed]).toEqual([undefined, undefined, undefined, false]);

    await ack(client, holder.last.userToken);
    await closing;
    await until(() => [reader, idle, late].every(({ outcome }) => outcome !== undefined));
    expect([reader.outcome, idle.outcome]).toEqual(["OK", "OK"]);
    expect(rig.events.counts).toMatchObject({ acked: 1, lost: 0, posted: 2, delivered: 1 });
    expect(rig.broker.count("events")).toMatchObject({ ready: 1, unsettled: 0 });
    expect(await rig.gateway.closed).toBeUndefined();
  });

  it("ends a client's stream before its Close answers, also while it drains", async () => {
    rig = await GrpcRig.start();
    const client = rig.client();
    const reader = await subscribe(client, "reader");
    const busy = await subscribe(client, "busy");
    for (const eventJson of ["a", "b"]) await post(client, { eventJson });
    await until(() => reader.received.length === 1 && busy.received.length === 1);
    const closing = rig.gateway.close();
    await closeClient(client, "reader");
    expect(reader.outcome).toBe("OK");
    expect(busy.outcome).toBeUndefined();
    // What it left has gone back, since nobody here takes more.
    await until(() => rig.broker.count("events")?.ready === 1);
    await ack(client, busy.last.userToken);
    await closing;
  });

  it("says goodbye on a connection before it ends its streams, so that their clients go elsewhere", async () => {
    rig = await GrpcRig.start();
    const client = new WireClient(rig.address);
    client.session.on("goaway", () => client.log.push("goaway"));
    const stream = client.call("/queue.QueueApi/SubscribeEvents", encode([[1, text("reader")]]), "stream");
    await until(() => stream.headersCame);
    await rig.gateway.close();
    expect(await stream.ended).toBe(status.OK);
    expect(client.log.slice(0, 2)).toEqual(["goaway", "stream ended"]);
    client.close();
  });

  it("gives back what is not acknowledged when the drain is over", async () => {
    rig = await GrpcRig.start();
    const client = rig.client();
    const reader = await subscribe(client, "reader");
    await post(client, { eventJson: "a" });
    await until(() => reader.received.length === 1);
    await rig.gateway.close({ drainMs: 50 });
    await until(() => rig.broker.count("events")?.ready === 1);
    await until(() => reader.outcome === "OK");
    expect(rig.events.counts).toMatchObject({ lost: 0, released: 1 });
  });

  it("ends the drain when its signal aborts", async () => {
    rig = await GrpcRig.start();
    const client = rig.client();
    const reader = await subscribe(client, "reader");
    await post(client, { eventJson: "a" });
    await until(() => reader.received.length === 1);
    const abort = new AbortController();
    const closing = rig.gateway.close({ signal: abort.signal });
    abort.abort();
    await closing;
  });

  it("answers posts that are under way before it closes", async () => {
    rig = await GrpcRig.start();
    const client = rig.client();
    await post(client, { eventJson: "opens the connection to the broker" });
    rig.broker.freeze();
    const posting = post(client, { eventJson: "a" });
    await until(() => rig.events.counts.posted === 1);
    // An answer on the same connection: the post before it is with the event service by now.
    await ack(client, "nonsense");
    const closing = rig.gateway.close();
    rig.broker.thaw();
    await posting;
    await closing;
  });

  it("leaves streams open and unanswered, without a hot loop, when the event service is closed under it", async () => {
    rig = await GrpcRig.start();
    const client = rig.client();
    const reader = await subscribe(client, "reader");
    await rig.events.close();
    await until(() => reader.outcome === "OK");
    const again = await subscribe(client, "reader");
    await expect(post(client, { eventJson: "a" })).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(again.outcome).toBeUndefined();
  });

  it("closes while it starts, before it starts, twice, and then refuses to start", async () => {
    rig = new GrpcRig();
    const starting = rig.gateway.start().catch((error: unknown) => error);
    await Promise.all([rig.gateway.close(), rig.gateway.close()]);
    expect(await starting).toMatchObject({ code: "CLOSED" });
    const never = createGrpcGateway({ events: rig.events, listen: "127.0.0.1:0" });
    await never.close();
    await expect(never.start()).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("drops connections beyond its limit and goes on", async () => {
    rig = await GrpcRig.start({ grpc: { maxConnections: 1 } });
    const first = rig.client();
    await post(first, { eventJson: "a" });
    await expect(post(rig.client(), { eventJson: "b" })).rejects.toMatchObject({ code: status.UNAVAILABLE });
    await post(first, { eventJson: "c" });
  });
});
