import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createInspectionClient, type TokenEntries } from "../../adapters/grpc/index.js";
import { loadAllProtos, loadQueueApi } from "../../adapters/grpc/proto.js";
import { Authentication } from "../../adapters/grpc/security/authentication.js";
import { alternativeNames, certificateNames } from "../../adapters/grpc/security/certificate-names.js";
import { Guard } from "../../adapters/grpc/security/guard.js";
import { NamePatterns } from "../../adapters/grpc/security/name-patterns.js";
import { Refusals } from "../../adapters/grpc/security/refusals.js";
import { RIGHTS } from "../../adapters/grpc/security/rights.js";
import { rpcRules } from "../../adapters/grpc/security/rpc-rules.js";
import { StrictRequests } from "../../adapters/grpc/strict-requests.js";
import { Stopwatch } from "../../src/contract/stopwatch.js";
import { sinkOf } from "../../src/index.js";
import { machineClock } from "../../src/util/machine-clock.js";
import { AnyRpcClient, EVERY_RPC } from "./every-rpc.js";
import { certificate, certificatePath, postOutcome, SERVER_TLS, SecureServer } from "./secure-server.js";

/** Its own token each; the pattern of its one right is the same everywhere. */
const tokenOf = (name: string): string => `token-of-${name}-0123456789`;
const ENTRIES: TokenEntries = {
  ...Object.fromEntries(RIGHTS.map((right) => [right, { token: tokenOf(right), [right]: ["mine-*", "events"] }])),
  nothing: { token: tokenOf("nothing") },
  everything: { token: tokenOf("everything"), post: "*", subscribe: "*", request: "*", admin: "*" },
};
const OWNERS = [...RIGHTS, "nothing", "everything"] as const;

const echo = sinkOf(async function* () {
  yield { body: new Uint8Array() };
});

describe("rights of the gRPC server", () => {
  let server: SecureServer;
  let client: AnyRpcClient;
  beforeAll(async () => {
    server = await SecureServer.start({
      tokens: { entries: ENTRIES },
      sinks: () => echo,
      refusalDelayMs: 1,
    });
    client = new AnyRpcClient(server.address);
  });
  afterAll(async () => {
    client.close();
    await server.close();
  });

  describe.each(EVERY_RPC)("$path", (rpc) => {
    it("needs a token", async () => {
      expect(await client.call(rpc, "mine-1")).toMatchObject({ code: status.UNAUTHENTICATED });
      const outcome = await client.call(rpc, "mine-1", "token-of-somebody-else");
      expect(outcome).toMatchObject({ code: status.UNAUTHENTICATED, details: "the bearer token is not known here" });
    });

    it("is for those with the right, and for the names that it is for", async () => {
      const isLetIn = async (owner: string, name: string): Promise<boolean> => {
        const outcome = await client.call(rpc, `${name}-${owner}`, tokenOf(owner));
        expect(outcome.code).not.toBe(status.UNAUTHENTICATED);
        if (outcome.code !== status.PERMISSION_DENIED) return true;
        expect(outcome.details).toContain(`does not have the right ${rpc.right}`);
        return false;
      };
      const seen = await Promise.all(
        OWNERS.map(async (owner) => [owner, await isLetIn(owner, "mine"), await isLetIn(owner, "other")]),
      );
      const expected = OWNERS.map((owner) => {
        const mine = owner === "everything" || owner === rpc.right;
        return [owner, mine, owner === "everything" || (mine && rpc.namesNothing === true)];
      });
      expect(seen).toEqual(expected);
    });
  });

  it("looks at each event of a stream of posts", async () => {
    const mixed = {
      path: "/fairlead.v1.Events/PostEvents",
      request: (clientId: string) => ({
        events: [
          { clientId, body: Buffer.from("{}") },
          { clientId: "mine-1", body: Buffer.from("{}") },
        ],
      }),
    };
    expect(await client.call(mixed, "mine-2", tokenOf("post"))).toMatchObject({ code: status.OK });
    expect(await client.call(mixed, "other", tokenOf("post"))).toMatchObject({ code: status.PERMISSION_DENIED });
  });

  it("an operator of one queue cannot replay into another, nor reach it by its short name", async () => {
    const replay = (request: object) => ({ path: "/fairlead.v1.Inspection/Replay", request: () => request });
    const selection = { limit: 1 };
    const token = tokenOf("admin");
    const outcomes = await Promise.all([
      client.call(replay({ queue: "mine-1", to: "mine-2", selection }), "", token),
      client.call(replay({ queue: "mine-1", to: "other", selection }), "", token),
      client.call(replay({ queue: "", selection }), "", token),
      client.call(replay({ queue: ".dead", selection }), "", token),
    ]);
    const isDenied = outcomes.map(({ code }) => code === status.PERMISSION_DENIED);
    expect(isDenied).toEqual([false, true, false, true]);
    expect(outcomes[3]?.details).toContain('the queue "events.dead"');
  });

  it("an operator of dead letters cannot send them back into a queue that is not his", async () => {
    const token = "token-of-the-dead-0123456789";
    const own = await SecureServer.start({ tokens: { entries: { dead: { token, admin: ["*.dead", "mine"] } } } });
    const { messaging } = own;
    const countOf = async (queue: string): Promise<number | undefined> =>
      (await messaging.inspection?.counts(queue))?.ready;
    const kill = async (name: string): Promise<void> => {
      const refuse = (): Promise<void> => Promise.reject(new Error("no"));
      const consumer = await messaging.queue(name).consume(refuse, { maxAttempts: 1 });
      await messaging.queue(name).publish({ body: Buffer.from("x") });
      await vi.waitFor(async () => expect(await countOf(`${name}.dead`)).toBe(1), { timeout: 20_000 });
      await consumer.close();
    };
    const operator = createInspectionClient({ address: own.address, token });
    try {
      for (const name of ["mine", "other"]) await kill(name);
      expect(await operator.replay("mine.dead", { limit: 1 })).toBe(1);
      expect(await countOf("mine")).toBe(1);
      const refused = operator.replay("other.dead", { limit: 1 });
      await expect(refused).rejects.toMatchObject({
        code: "PERMISSION_DENIED",
        message: expect.stringContaining("other"),
      });
      expect(await countOf("other")).toBe(0);
      expect(await countOf("other.dead")).toBe(1);
      expect(own.told("client-refused")).toMatchObject([{ client: "dead", reason: "no right admin for this" }]);
    } finally {
      operator.close();
      await own.close();
    }
  });

  it("there is a rule for every rpc, and no handler but of such", () => {
    const register = vi.spyOn(Server.prototype, "register");
    try {
      const other = new SecureServer({ tokens: { entries: ENTRIES }, sinks: {} });
      const served = register.mock.calls.map(([path]) => path);
      void other.close();
      expect(served.length).toBeGreaterThan(EVERY_RPC.length);
      expect(new Set(served)).toEqual(new Set(rpcRules((name) => name).keys()));
      const open = served.filter((path) => {
        const needs = rpcRules((name) => name).get(path)?.needs;
        return needs === undefined || needs === "nothing";
      });
      expect(open.every((path) => path.startsWith("/grpc.health.v1.Health/"))).toBe(true);
    } finally {
      register.mockRestore();
    }
  });
});

describe("an rpc without a rule", () => {
  it("is refused to everybody", async () => {
    const refusals = new Refusals({ observe: () => {}, clock: machineClock });
    const guard = new Guard({
      rules: new Map(),
      authentication: new Authentication(),
      certificateOf: () => undefined,
      requests: new StrictRequests(loadAllProtos()),
      refusals,
      clock: machineClock,
      refusalDelayMs: 0,
    });
    const bare = new Server({ interceptors: [guard.interceptor] });
    let isHandled = false;
    bare.addService(loadQueueApi().service, {
      PostEvent: (_: unknown, done: (error: null, reply: object) => void) => {
        isHandled = true;
        done(null, {});
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      bare.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    const [rpc] = EVERY_RPC;
    const any = new AnyRpcClient(`127.0.0.1:${port}`);
    try {
      if (rpc === undefined) throw new Error("there are no rpcs");
      expect(await any.call(rpc, "a")).toMatchObject({ code: status.PERMISSION_DENIED });
      expect(isHandled).toBe(false);
    } finally {
      any.close();
      bare.forceShutdown();
      refusals.close();
    }
  });
});

describe("rights by certificate", () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  const tlsOf = (name: string) => ({
    tls: { ca: certificate("ca.pem"), certificate: certificate(`${name}.pem`), key: certificate(`${name}.key`) },
  });

  it.each([
    ["its common name", "worker"],
    ["its common name, said to be one", "CN:worker"],
    ["an alternative name", "spiffe://test/worker"],
    ["an alternative name of a kind", "URI:spiffe://test/worker"],
  ])("go by %s", async (_, name) => {
    const server = await SecureServer.start({
      tls: { ...SERVER_TLS, clientCaFile: certificatePath("ca.pem") },
      tokens: {
        entries: {
          known: { certificate: name, post: "mine" },
          bearer: { token: "a-token-of-its-own", post: "theirs" },
        },
      },
    });
    closing.push(() => server.close());
    const worker = server.client(tlsOf("client"));
    expect(await postOutcome(worker, "mine")).toMatchObject({ code: status.OK });
    expect(await postOutcome(worker, "theirs")).toMatchObject({ code: status.PERMISSION_DENIED });
    // A token that is there decides.
    const both = server.client({ ...tlsOf("client"), token: "a-token-of-its-own" });
    expect(await postOutcome(both, "theirs")).toMatchObject({ code: status.OK });
    expect(await postOutcome(both, "mine")).toMatchObject({ code: status.PERMISSION_DENIED });
    const wrong = server.client({ ...tlsOf("client"), token: "a-token-of-nobodys" });
    expect(await postOutcome(wrong, "mine")).toMatchObject({ code: status.UNAUTHENTICATED });
    const stranger = server.client(tlsOf("client-2"));
    expect(await postOutcome(stranger, "mine")).toMatchObject({
      code: status.UNAUTHENTICATED,
      details: "the client certificate has no entry here, and there is no bearer token",
    });
  });

  it("are all, for any client of the authority, where there are no entries", async () => {
    const server = await SecureServer.start({ tls: { ...SERVER_TLS, clientCaFile: certificatePath("ca.pem") } });
    closing.push(() => server.close());
    expect(await postOutcome(server.client(tlsOf("client-2")), "anybody")).toMatchObject({ code: status.OK });
  });

  it("one name cannot pass for two, nor for one of another kind", () => {
    expect(alternativeNames('DNS:"a, URI:b", URI:c')).toEqual([
      { kind: "DNS", name: "a, URI:b" },
      { kind: "URI", name: "c" },
    ]);
    expect(alternativeNames('DNS:"a\\", URI:b", DNS:c')).toEqual([
      { kind: "DNS", name: 'a", URI:b' },
      { kind: "DNS", name: "c" },
    ]);
    expect(alternativeNames('DNS:"a')).toEqual([]);
    expect(alternativeNames("")).toEqual([]);
    const names = certificateNames({ subject: { CN: "DNS:admin" }, subjectaltname: "DNS:b" } as never);
    expect(names.all.has("DNS:admin")).toBe(false);
    expect([...names.all]).toEqual(["CN:DNS:admin", "b", "DNS:b"]);
  });
});

describe("name patterns", () => {
  it.each<[readonly string[], readonly string[], readonly string[]]>([
    [["a"], ["a"], ["", "b", "aa", "A"]],
    [["*"], ["", "a", "a*b", "x".repeat(100_000)], []],
    [["a*"], ["a", "ab"], ["", "ba"]],
    [["*a"], ["a", "ba"], ["ab"]],
    [["a*a"], ["aa", "aba"], ["a", "ab"]],
    [["a*b*c"], ["abc", "axbxc", "abbc", "abcbc"], ["acb", "ab", "ac"]],
    [["a**b"], ["ab", "axb"], ["a"]],
    [
      ["a.c", "[x]"],
      ["a.c", "[x]"],
      ["abc", "x"],
    ],
    [[""], [""], ["a"]],
    [[], [], ["", "a"]],
  ])("%j", (patterns, matching, others) => {
    const names = new NamePatterns(patterns);
    for (const name of matching) expect(names.matches(name), name.slice(0, 20)).toBe(true);
    for (const name of others) expect(names.matches(name), name).toBe(false);
  });

  it("cost little, whatever they and the names are", () => {
    const names = new NamePatterns(Array.from({ length: 100 }, (_, index) => `${"a*".repeat(120)}b${index}`));
    const watch = new Stopwatch();
    for (let count = 0; count < 100; count += 1) names.matches("a".repeat(1_000));
    expect(names.matches(`${"a".repeat(1_000_000)}b1`)).toBe(false);
    expect(watch.undisturbedMs).toBeLessThan(1_000);
  });
});
