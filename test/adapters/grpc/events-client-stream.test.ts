import { Metadata, Server, ServerCredentials, type ServerDuplexStream, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EventsApiSource } from "../../../adapters/grpc/events-client/events-api-source.js";
import { resolveEventsClientOptions } from "../../../adapters/grpc/events-client/options.js";
import { ServerLink } from "../../../adapters/grpc/events-client/server-link.js";
import { loadEvents, loadQueueApi } from "../../../adapters/grpc/proto.js";
import { collectGarbage } from "../../support/collect-garbage.js";
import { VirtualClock } from "../../support/virtual-clock.js";
import { EventsClients } from "./events-client-rig.js";
import { until } from "./rig.js";

interface Ack {
  readonly ackToken: string;
  readonly success: boolean;
}
interface SubscribeRequest {
  readonly clientId: string;
  readonly credit?: string;
  readonly acks: readonly Ack[];
}
interface PostEventsRequest {
  readonly events: readonly { readonly postId: string }[];
}
type SubscribeCall = ServerDuplexStream<SubscribeRequest, object>;
type PostCall = ServerDuplexStream<PostEventsRequest, object>;

/** fairlead.v1.Events as a test wants it, with the Ack of QueueApi beside it. */
describe("an events client on a stream that does as it likes", () => {
  let server: Server;
  let address: string;
  let clients: EventsClients;
  let streams: SubscribeCall[];
  let requests: SubscribeRequest[];
  let acks: string[];
  let onPosts: (call: PostCall) => void;

  beforeEach(async () => {
    server = new Server();
    clients = new EventsClients();
    streams = [];
    requests = [];
    acks = [];
    onPosts = (call) => call.end();
    const nothing = (_: unknown, callback: (error: null, reply: object) => void): void => callback(null, {});
    server.addService(loadEvents().service, {
      Post: nothing,
      Ack: nothing,
      Close: nothing,
      PostEvents: (call: PostCall) => onPosts(call),
      Subscribe: (call: SubscribeCall) => {
        streams.push(call);
        call.on("error", () => {});
        call.on("data", (request: SubscribeRequest) => requests.push(request));
        call.sendMetadata(new Metadata());
      },
    });
    server.addService(loadQueueApi().service, {
      PostEvent: nothing,
      SubscribeEvents: () => {},
      Close: (_: unknown, callback: (error: null, reply: object) => void) => {
        streams.at(-1)?.end();
        callback(null, {});
      },
      Ack: ({ request }: { request: { userToken: string } }, callback: (error: null, reply: object) => void) => {
        acks.push(request.userToken);
        callback(null, {});
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    address = `127.0.0.1:${port}`;
  });
  afterEach(async () => {
    await clients.close();
    server.forceShutdown();
  });

  it("gives credit for as many events as it has handlers, and one more with each answer", async () => {
    const client = clients.create({ server: address, clientId: "me" });
    await client.subscribe(
      ({ token }) => {
        if (token === "bad") throw new Error("no");
      },
      { concurrency: 2 },
    );
    await until(() => requests.length === 1);
    expect(requests[0]).toMatchObject({ clientId: "me", credit: "2", acks: [] });
    streams[0]?.write({ events: [{ ackToken: "1" }, { ackToken: "2", userToken: "bad" }] });
    await until(() => requests.slice(1).flatMap((request) => request.acks).length === 2);
    const told = requests
      .slice(1)
      .flatMap((request) => request.acks.map(({ ackToken, success }) => [ackToken, success]));
    expect(Object.fromEntries(told)).toEqual({ 1: true, 2: false });
    expect(requests.at(-1)?.credit).toBe("4");
  });

  it("acknowledges by a call what the stream did not answer before it ended", async () => {
    const client = clients.create({ server: address });
    await client.subscribe(() => {});
    streams[0]?.write({ events: [{ ackToken: "1" }] });
    await until(() => requests.length === 2);
    streams[0]?.end();
    await until(() => acks.length === 1);
    expect(acks).toEqual(["1"]);
    await until(() => streams.length === 2 && client.state === "connected");
  });

  it("acknowledges by a call what the stream never answers", async () => {
    const clock = new VirtualClock();
    const client = clients.create({ server: address, clock, ackTimeoutMs: 1_000 });
    await client.subscribe(() => {});
    streams[0]?.write({ events: [{ ackToken: "1" }] });
    await until(() => requests.length === 2);
    await clock.pass(400);
    await until(() => acks.length === 1);
  });

  it("keeps nothing of an ack that nobody waits for any longer", async () => {
    const options = resolveEventsClientOptions({ server: address });
    const link = new ServerLink(address, options);
    const source = new EventsApiSource({
      link,
      clientId: "me",
      concurrency: 1,
      onLive: () => {},
      onEvent: () => {},
      onEnd: () => {},
      onMissing: () => {},
    });
    try {
      await until(() => requests.length === 1);
      const asked = (): WeakRef<Promise<unknown>> => new WeakRef(source.ack("1", true));
      const answer = asked();
      await until(() => requests.length === 2);
      source.forget("1");
      await until(() => {
        collectGarbage();
        return answer.deref() === undefined;
      });
    } finally {
      source.cancel();
      link.close();
    }
  });

  it("gives no more credit once it closes", async () => {
    const client = clients.create({ server: address });
    let end = (): void => {};
    const held = new Promise<void>((resolve) => {
      end = resolve;
    });
    let begun = 0;
    const handler = (): Promise<void> => {
      begun += 1;
      return held;
    };
    await client.subscribe(handler, { concurrency: 2 });
    streams[0]?.write({ events: [{ ackToken: "1" }] });
    await until(() => begun === 1);
    const closing = client.close();
    end();
    await until(() => requests.length === 2);
    expect(requests[1]).toMatchObject({ credit: "2", acks: [{ ackToken: "1", success: true }] });
    streams[0]?.write({ acks: [{ ackToken: "1", outcome: "ACK_OUTCOME_ACKED" }] });
    await closing;
  });

  it.each([
    ["ACK_OUTCOME_LATE", "late"],
    ["ACK_OUTCOME_UNKNOWN", "unknown"],
    ["ACK_OUTCOME_UNCONFIRMED", "unconfirmed"],
    ["ACK_OUTCOME_UNRESOLVED", "unresolved"],
  ])("tells of an ack that came to %s", async (wire, outcome) => {
    const client = clients.create({ server: address });
    await client.subscribe(() => {});
    streams[0]?.write({ events: [{ ackToken: "1", attempt: 3 }] });
    await until(() => requests.length === 2);
    streams[0]?.write({ acks: [{ ackToken: "1", outcome: wire }] });
    await until(() => clients.notices.some(({ type }) => type === "ack-ignored"));
    const event = expect.objectContaining({ attempt: 3 });
    expect(clients.notices.find(({ type }) => type === "ack-ignored")).toMatchObject({ outcome, event });
  });

  it("posts again, under the same ids, what got no result before the stream was over", async () => {
    const seen: string[][] = [];
    onPosts = (call) => {
      const ids: string[] = [];
      seen.push(ids);
      call.on("data", ({ events }: PostEventsRequest) => {
        ids.push(...events.map(({ postId }) => postId));
        if (seen.length > 1) return;
        call.write({ results: [{ first: "2", last: "3", status: 0 }] });
        call.write({
          results: [{ first: "4", last: "4", status: status.INVALID_ARGUMENT, code: "MALFORMED", message: "bad" }],
        });
        setImmediate(() => call.emit("error", { code: status.UNAVAILABLE, details: "gone" }));
      });
      call.on("end", () => {
        if (ids === seen[0]) return;
        call.write({ results: [{ first: "1", last: String(ids.length), status: 0 }] });
        call.end();
      });
    };
    const client = clients.create({ server: address });
    const results = await client.postMany(["a", "b", "c", "d", "e"].map((postId) => ({ body: postId, postId })));
    expect(results.map(({ error }) => error?.code)).toEqual([undefined, undefined, undefined, "MALFORMED", undefined]);
    expect(seen).toEqual([
      ["a", "b", "c", "d", "e"],
      ["a", "e"],
    ]);
  });

  it.each([
    ["never ends", () => {}],
    ["counts wrong", (call: PostCall) => call.write({ results: [{ first: "0", last: "99999999999", status: 0 }] })],
  ])("ends postMany in time when the stream %s", async (_, act) => {
    onPosts = (call) => {
      act(call);
      call.resume();
    };
    const client = clients.create({ server: address });
    const results = await client.postMany([{ body: 1 }, { body: 2 }], { timeoutMs: 200 });
    expect(results).toHaveLength(2);
  });
});
