import { connect as connectHttp2 } from "node:http2";
import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { createInspectionClient, type TokenEntries } from "../../adapters/grpc/index.js";
import { until } from "../adapters/grpc/rig.js";
import { SecureServer } from "./secure-server.js";
import { TokenFile } from "./token-file.js";

const TOKEN = "first-token-0123456789";
const OTHER = "other-token-0123456789";

describe("what is under way when a right is taken away", () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  const start = async (
    entries: TokenEntries,
  ): Promise<{ server: SecureServer; use(next: TokenEntries): Promise<void> }> => {
    const tokens = new TokenFile(entries);
    closing.push(() => tokens.remove());
    const server = await SecureServer.start({ tokens: { file: tokens.file } });
    closing.push(() => server.close());
    const use = async (next: TokenEntries): Promise<void> => {
      const told = server.told("credentials").length;
      tokens.write(next);
      await until(() => server.told("credentials").length > told);
    };
    return { server, use };
  };

  it.each([
    ["from the queue", ["to-here"]],
    ["to the queue", ["from-here"]],
  ])("a replay ends: the right %s", async (_, left) => {
    const { server, use } = await start({ operator: { token: TOKEN, admin: ["from-here", "to-here"] } });
    const queue = server.messaging.queue("from-here");
    for (let index = 0; index < 1_000; index += 1) await queue.publish({ body: Buffer.from("x") });
    const client = createInspectionClient({ address: server.address, token: TOKEN });
    closing.push(() => client.close());
    let moved = 0;
    const onMoved = (count: number): void => {
      moved = count;
    };
    const replay = client.replay("from-here", { to: "to-here", ratePerSecond: 20, limit: 1_000, onMoved });
    const outcome = replay.catch((error: unknown) => error);
    await until(() => moved > 0);
    await use({ operator: { token: TOKEN, admin: left } });
    expect(await outcome).toMatchObject({ code: "PERMISSION_DENIED" });
    const { inspection } = server.messaging;
    expect((await inspection?.counts("from-here"))?.ready).toBeGreaterThan(0);
  });

  /** A post whose headers are there, and whose body is sent later. */
  const beginPost = async (
    server: SecureServer,
  ): Promise<{ send(bytes: Buffer, isLast: boolean): void; outcome: Promise<number> }> => {
    const session = connectHttp2(`http://${server.address}`);
    session.on("error", () => undefined);
    closing.push(() => session.destroy());
    const stream = session.request(
      {
        ":method": "POST",
        ":path": "/queue.QueueApi/PostEvent",
        "content-type": "application/grpc",
        te: "trailers",
        authorization: `Bearer ${TOKEN}`,
      },
      { endStream: false },
    );
    stream.on("error", () => undefined);
    stream.resume();
    const outcome = new Promise<number>((resolve) => {
      const look = (headers: object): void => {
        const code: unknown = Reflect.get(headers, "grpc-status");
        if (code !== undefined) resolve(Number(code));
      };
      stream.on("response", look);
      stream.on("trailers", look);
    });
    await new Promise<void>((resolve) => session.ping(() => resolve()));
    return { send: (bytes, isLast) => void (isLast ? stream.end(bytes) : stream.write(bytes)), outcome };
  };
  /** client_id "a", event_json "{}". */
  const EVENT = Buffer.from([0, 0, 0, 0, 7, 0x0a, 1, 0x61, 0x1a, 2, 0x7b, 0x7d]);
  const posted = async (server: SecureServer): Promise<number> =>
    (await server.messaging.inspection?.counts("events").catch(() => undefined))?.ready ?? 0;

  it.each<[string, TokenEntries, number]>([
    ["its token is not known any more", { other: { token: OTHER, post: "*" } }, status.UNAUTHENTICATED],
    ["it may post nothing", { one: { token: TOKEN } }, status.PERMISSION_DENIED],
    ["it may post as somebody else", { one: { token: TOKEN, post: "b" } }, status.PERMISSION_DENIED],
  ])("a post is refused before its body, and before its end: %s", async (_, next, code) => {
    const { server, use } = await start({ one: { token: TOKEN, post: "*" } });
    const withoutBody = await beginPost(server);
    const withoutEnd = await beginPost(server);
    withoutEnd.send(EVENT, false);
    const untouched = await beginPost(server);
    untouched.send(EVENT, true);
    expect(await untouched.outcome).toBe(status.OK);
    await use(next);
    withoutBody.send(EVENT, true);
    withoutEnd.send(Buffer.alloc(0), true);
    expect(await withoutBody.outcome).toBe(code);
    expect(await withoutEnd.outcome).toBe(code);
    expect(await posted(server)).toBe(1);
  });
});
