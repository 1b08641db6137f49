import { describe, expect, it } from "vitest";
import { rabbitmqDriver } from "../../../adapters/rabbitmq/index.js";
import { Stopwatch } from "../../../src/contract/stopwatch.js";
import { MessagingError } from "../../../src/index.js";
import { brokerNode, brokerPort, brokerUrl, uniqueName } from "./broker.js";
import { connectError } from "./connect-error.js";
import { connectDriver, eventually, proxied, refusal, take, testQueue, wire } from "./rig.js";

describe("rabbitmq connect", () => {
  it("refuses a wrong password as UNAUTHENTICATED, and quotes neither user nor password", async () => {
    const error = await connectError({ url: `amqp://guest:secret-word@127.0.0.1:${brokerPort}` });
    expect([error.code, error.retryable]).toEqual(["UNAUTHENTICATED", false]);
    expect(error.message).toBe(
      `cannot connect to RabbitMQ at 127.0.0.1:${brokerPort}: the broker refused user and password`,
    );
    expect(JSON.stringify([error, String(error.cause), error.stack])).not.toMatch(/secret-word/);
  });

  it("refuses a missing virtual host as NOT_FOUND, and uses one whose name needs encoding", async () => {
    const vhost = uniqueName("v/host");
    const url = `${brokerUrl}/${encodeURIComponent(vhost)}`;
    const error = await connectError({ url });
    expect([error.code, error.retryable]).toEqual(["NOT_FOUND", false]);
    expect(error.message).toContain("virtual host");
    const node = brokerNode();
    await node.control("add_vhost", vhost);
    try {
      await node.control("set_permissions", "-p", vhost, "guest", ".*", ".*", ".*");
      const { connection } = await connectDriver({ url });
      await connection.openInbox(
        () => {},
        () => {},
      );
      await connection.close();
    } finally {
      await node.control("delete_vhost", vhost);
    }
  });

  it("refuses a port that nobody listens on, a host that is not there, and something that is no broker", async () => {
    const proxy = await proxied();
    await proxy.stop();
    const refused = await connectError({ url: proxy.url });
    expect([refused.code, refused.retryable]).toEqual(["UNAVAILABLE", true]);
    expect(refused.message).toContain(`127.0.0.1:${proxy.port}: connection refused: is the broker running there?`);
    const unknown = await connectError({ url: "amqp://no-such-host.invalid", connectTimeoutMs: 8_000 });
    expect(unknown.code).toBe("UNAVAILABLE");
    const wrongScheme = await connectError({ url: brokerUrl.replace("amqp:", "amqps:") });
    expect([wrongScheme.code, wrongScheme.message.includes("use amqp:")]).toEqual(["INVALID_ARGUMENT", true]);
  });

  it("is cut off at any byte of the set-up: rejects, leaves nothing open, and connects next time", async () => {
    const proxy = await proxied();
    await (await connectDriver({ url: proxy.url })).connection.close();
    // Most of what the broker says are its properties, then come three short answers and the goodbye.
    const all = proxy.serverBytes;
    for (const afterServerBytes of [0, 1, 7, 100, all - 100, ...Array.from({ length: 16 }, (_, n) => all - 4 * n)]) {
      proxy.setTrap({ kind: "cut", afterServerBytes });
      const attempt = await connectDriver({ url: proxy.url }).then(
        (link) => link,
        (error: unknown) => error,
      );
      if (MessagingError.is(attempt)) expect([attempt.code, attempt.retryable]).toEqual(["UNAVAILABLE", true]);
      else {
        // Connected with a few bytes to spare: then it is lost soon, and told so.
        const { lost, connection } = attempt as Awaited<ReturnType<typeof connectDriver>>;
        void connection
          .openInbox(
            () => {},
            () => {},
          )
          .catch(() => {});
        await eventually(() => lost.length === 1, `the loss after ${afterServerBytes} bytes`);
      }
      await eventually(() => proxy.connections === 0, `no connection after ${afterServerBytes} bytes`);
    }
    proxy.setTrap(undefined);
    await connectDriver({ url: proxy.url });
    expect(proxy.connections).toBe(2);
  });

  it.each([0, 1 / 2, 0.97])(
    "gives up on a broker that falls silent after %d of the set-up, leaving nothing open",
    async (part) => {
      const proxy = await proxied();
      await (await connectDriver({ url: proxy.url })).connection.close();
      const bytes = Math.floor(proxy.serverBytes * part) - 30 * Math.ceil(part);
      proxy.setTrap({ kind: "stall", afterServerBytes: Math.max(0, bytes) });
      const watch = new Stopwatch();
      const error = await connectError({ url: proxy.url, connectTimeoutMs: 400 });
      expect(watch.undisturbedMs).toBeLessThan(1_500);
      expect([error.code, error.retryable]).toEqual(["UNAVAILABLE", true]);
      expect(error.message).toContain("did not answer within 400 ms");
      await eventually(() => proxy.connections === 0, "no connection to be open");
    },
  );

  it("opens no socket under an aborted signal, and none is left open when it aborts at any step", async () => {
    const proxy = await proxied();
    const early = await connectError({ url: proxy.url }, AbortSignal.abort(new Error("changed my mind")));
    expect(early.code).toBe("ABORTED");
    expect(String(early.cause)).toContain("changed my mind");
    expect(proxy.accepted).toBe(0);
    const driver = rabbitmqDriver({ url: proxy.url });
    const nothing = (): void => {};
    let connected = 0;
    for (let step = 0; step < 40; step += 1) {
      const abort = new AbortController();
      setTimeout(() => abort.abort(), step * 0.5);
      const told = { onLost: nothing, onBlocked: nothing, onReturned: nothing };
      const connection = await driver.connect({ ...told, signal: abort.signal }).catch(() => undefined);
      if (connection !== undefined) connected += 1;
      await connection?.close();
    }
    expect(connected).toBeLessThan(40);
    await eventually(() => proxy.connections === 0, "no connection to be open");
  });

  it("tries its servers in turn", async () => {
    const gone = await proxied();
    await gone.stop();
    const driver = rabbitmqDriver({ url: [gone.url, brokerUrl], closeTimeoutMs: 2_000 });
    await expect(connectDriver(driver)).rejects.toThrow(`127.0.0.1:${gone.port}`);
    await connectDriver(driver);
    await expect(connectDriver(driver)).rejects.toThrow(`127.0.0.1:${gone.port}`);
  });
});

describe("rabbitmq connection", () => {
  it("tells a silent broker once, after two to three heartbeats, and settles what was under way", async () => {
    const proxy = await proxied();
    const link = await connectDriver({ url: proxy.url, heartbeatSeconds: 1 });
    const { connection, lost } = link;
    const queue = testQueue("silent");
    const taking = await take(connection, queue);
    await connection.publish({ kind: "queue", queue }, wire("one"));
    const delivery = await taking.at(0);
    proxy.stall();
    const started = performance.now();
    const publishing = refusal(link, connection.publish({ kind: "queue", queue }, wire("two")));
    const consuming = refusal(link, take(connection, testQueue("never")));
    await eventually(() => lost.length > 0, "the loss");
    expect(performance.now() - started).toBeGreaterThan(1_000);
    expect([(await publishing).code, (await consuming).code]).toEqual(["UNAVAILABLE", "UNAVAILABLE"]);
    expect(await delivery.settle("ack")).toBe(false);
    expect((await refusal(link, connection.publish({ kind: "queue", queue }, wire("three")))).code).toBe("UNAVAILABLE");
    await connection.close();
    expect([lost.length, taking.lost.length]).toEqual([1, 0]);
    proxy.resume();
    await eventually(() => proxy.connections === 0, "no connection to be open");
  });

  it("is closed by the operator: told once, with the reason", async () => {
    const { driver, connection, lost } = await connectDriver();
    const taking = await take(connection, testQueue("forced"));
    await brokerNode().control("close_all_connections", "for a test");
    await eventually(() => lost.length > 0, "the loss");
    const error = driver.toMessagingError(lost[0]);
    expect([error.code, error.message]).toEqual(["UNAVAILABLE", expect.stringContaining("for a test")]);
    await connection.close();
    expect([lost.length, taking.lost.length]).toEqual([1, 0]);
  });

  it("closes within its bound although the broker is silent, and settles what was under way", async () => {
    const proxy = await proxied();
    const link = await connectDriver({ url: proxy.url, closeTimeoutMs: 300 });
    const { connection, lost } = link;
    const queue = testQueue("silent close");
    await connection.publish({ kind: "queue", queue }, wire("one"));
    await take(connection, queue);
    proxy.stall();
    const publishing = refusal(link, connection.publish({ kind: "queue", queue }, wire("two")));
    const watch = new Stopwatch();
    await connection.close();
    expect(watch.undisturbedMs).toBeLessThan(1_000);
    expect((await publishing).code).toBe("UNAVAILABLE");
    expect(lost).toEqual([]);
    proxy.resume();
    await eventually(() => proxy.connections === 0, "no connection to be open");
  });
});
