import { inspect } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { type RabbitmqCredentials, type RabbitmqOptions, rabbitmqDriver } from "../../../adapters/rabbitmq/index.js";
import { Stopwatch } from "../../../src/contract/stopwatch.js";
import { createMessaging, type Messaging, type Observation } from "../../../src/index.js";
import { deferred } from "../../../src/util/deferred.js";
import { brokerNode, brokerUrl } from "./broker.js";
import { connectError } from "./connect-error.js";
import { connectDriver, eventually, proxied, testQueue } from "./rig.js";
import { testUser } from "./users.js";

function node(options: RabbitmqOptions): { readonly messaging: Messaging; readonly observed: Observation[] } {
  const observed: Observation[] = [];
  const driver = rabbitmqDriver({ closeTimeoutMs: 1_000, ...options });
  const messaging = createMessaging({ driver, observers: [(item) => observed.push(item)] });
  onTestFinished(() => messaging.close({ drainMs: 0 }));
  return { messaging, observed };
}

function renewals(observed: readonly Observation[]): (string | undefined)[] {
  return observed.flatMap((item) => (item.type === "credentials" ? [item.error?.message] : []));
}

describe("rabbitmq credentials by callback", () => {
  it("are asked for before every connect: a user whose password changed comes back with the new one", async () => {
    const proxy = await proxied();
    const { username, password, changePassword } = await testUser();
    let current = password;
    let asked = 0;
    const credentials = async (): Promise<RabbitmqCredentials> => {
      asked += 1;
      return { username, password: current };
    };
    const { messaging, observed } = node({ url: proxy.url, credentials });
    const queue = messaging.queue(testQueue("credentials").name);
    await queue.publish({ body: Buffer.from("one") });
    expect(asked).toBe(1);
    await changePassword("changed-word");
    await queue.publish({ body: Buffer.from("the link that is open stays open") });
    proxy.cut();
    await eventually(() => observed.some(({ type }) => type === "connect-failed"), "the old password to be refused");
    current = "changed-word";
    await queue.publish({ body: Buffer.from("two") });
    expect(messaging.state).toBe("open");
    const errors = observed.flatMap((item) => (item.type === "connect-failed" ? [item.error.message] : []));
    expect(errors[0]).toContain("the broker refused user and password");
    expect(asked).toBe(errors.length + 2);
    const told = inspect(observed, { depth: 20 });
    for (const secret of [username, password, "changed-word"]) expect(told).not.toContain(secret);
  });

  it("that fail are told and tried again, like a refused connect", async () => {
    let asked = 0;
    const credentials = () => {
      asked += 1;
      if (asked < 3) throw new Error("the vault is sealed");
      return { username: "guest", password: "guest" };
    };
    const { messaging, observed } = node({ url: brokerUrl, credentials });
    await messaging.open();
    const errors = observed.flatMap((item) => (item.type === "connect-failed" ? [item.error.message] : []));
    expect(errors).toHaveLength(2);
    for (const error of errors) expect(error).toContain("the credentials callback failed: the vault is sealed");
  });

  it("that never come cost no longer than connectTimeoutMs, and what comes late is forgotten", async () => {
    const late = deferred<RabbitmqCredentials>();
    const watch = new Stopwatch();
    const error = await connectError({ url: brokerUrl, connectTimeoutMs: 300, credentials: () => late.promise });
    expect(watch.undisturbedMs).toBeLessThan(2_000);
    expect([error.code, error.retryable]).toEqual(["UNAVAILABLE", true]);
    expect(error.message).toContain("the credentials callback did not answer within 300 ms");
    late.resolve({ username: "guest", password: "guest" });
    const abort = new AbortController();
    const aborting = connectError({ url: brokerUrl, credentials: () => new Promise(() => {}) }, abort.signal);
    abort.abort();
    expect((await aborting).code).toBe("ABORTED");
  });

  it.each([
    [undefined, "must resolve to { username, password }"],
    ["secret-word", "must resolve to { username, password }"],
    [{ username: "secret-word" }, "must resolve to { username, password }"],
    [{ username: "secret-word", password: 17 }, "must resolve to { username, password }"],
    [{ username: "who", password: "secret-word", expiresInMs: -1 }, "expiresInMs must be"],
  ])("of the wrong form are INVALID_ARGUMENT and not quoted %#", async (given, fault) => {
    const error = await connectError({ url: brokerUrl, credentials: () => given as unknown as RabbitmqCredentials });
    expect([error.code, error.retryable, error.message.includes(fault)]).toEqual(["INVALID_ARGUMENT", false, true]);
    expect(inspect(error, { depth: 20 })).not.toContain("secret-word");
  });

  it("with a life are renewed on both links before it ends, through failures, and links stay", async () => {
    let asked = 0;
    const credentials = async (): Promise<RabbitmqCredentials> => {
      asked += 1;
      if (asked === 3) throw new Error("the vault is sealed");
      return { username: "guest", password: "guest", expiresInMs: asked === 1 ? 4_000 : 1_000 };
    };
    const { messaging, observed } = node({ url: brokerUrl, credentials });
    const queue = messaging.queue(testQueue("renewed").name);
    await queue.publish({ body: Buffer.from("one") });
    const watch = new Stopwatch();
    await eventually(() => renewals(observed).length >= 1, "a renewal");
    expect(watch.undisturbedMs).toBeLessThan(4_000);
    await eventually(() => renewals(observed).length >= 4, "four outcomes");
    expect(renewals(observed).slice(0, 4)).toEqual([
      undefined,
      "the credentials callback failed: the vault is sealed",
      undefined,
      undefined,
    ]);
    await queue.publish({ body: Buffer.from("two") });
    expect(observed.flatMap((item) => (item.type === "connection" ? [item.state] : []))).toEqual([
      "connecting",
      "open",
    ]);
    await messaging.close();
    const count = asked;
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(asked).toBe(count);
  });

  it("that are another user's mean a new connection, as that user", async () => {
    const { username, password } = await testUser();
    let asked = 0;
    const credentials = (): RabbitmqCredentials => {
      asked += 1;
      return asked === 1 ? { username: "guest", password: "guest", expiresInMs: 400 } : { username, password };
    };
    const { messaging, observed } = node({ url: brokerUrl, credentials });
    await messaging.open();
    const opens = () => observed.filter((item) => item.type === "connection" && item.state === "open").length;
    await eventually(() => opens() === 2, "a second connection");
    const users = await brokerNode().control("list_connections", "user");
    expect(users.split("\n").filter((user) => user === username)).toHaveLength(2);
  });

  it("have no life by themselves: nothing is asked for until the link is lost", async () => {
    let asked = 0;
    const credentials = () => {
      asked += 1;
      return { username: "guest", password: "guest", expiresInMs: Number.POSITIVE_INFINITY };
    };
    const { connection } = await connectDriver({ url: brokerUrl, credentials });
    await connection.close();
    expect(asked).toBe(1);
  });
});
