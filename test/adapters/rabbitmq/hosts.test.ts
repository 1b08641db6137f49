import { describe, expect, it, onTestFinished } from "vitest";
import { type RabbitmqOptions, rabbitmqDriver } from "../../../adapters/rabbitmq/index.js";
import { Stopwatch } from "../../../src/contract/stopwatch.js";
import { createMessaging, type Messaging, MessagingError, type Observation } from "../../../src/index.js";
import { brokerPort, brokerUrl } from "./broker.js";
import { eventually, proxied, testQueue } from "./rig.js";

interface Node {
  readonly messaging: Messaging;
  readonly observed: Observation[];
  /** The hosts that it was connected to, in order. */
  endpoints(): (string | undefined)[];
}

function node(options: RabbitmqOptions): Node {
  const observed: Observation[] = [];
  const driver = rabbitmqDriver({ closeTimeoutMs: 1_000, ...options });
  const messaging = createMessaging({ driver, observers: [(item) => observed.push(item)] });
  onTestFinished(() => messaging.close({ drainMs: 0 }));
  const endpoints = () =>
    observed.flatMap((item) => (item.type === "connection" && item.state === "open" ? [item.endpoint] : []));
  return { messaging, observed, endpoints };
}

const host = `127.0.0.1:${brokerPort}`;

describe("rabbitmq hosts", () => {
  it("passes over hosts that refuse, hang, break off, or know neither the virtual host nor the user, each in its time", async () => {
    const [refusing, hanging, half] = [await proxied(), await proxied(), await proxied()];
    await refusing.stop();
    hanging.setTrap({ kind: "stall", afterServerBytes: 0 });
    half.setTrap({ kind: "cut", afterServerBytes: 100 });
    const bad = [refusing.url, hanging.url, half.url, `${brokerUrl}/nowhere`, `amqp://guest:secret-word@${host}`];
    const { messaging, observed, endpoints } = node({ url: [...bad, brokerUrl], connectTimeoutMs: 2_000 });
    const watch = new Stopwatch();
    await messaging.open();
    expect(watch.undisturbedMs).toBeLessThan(30_000);
    expect(endpoints()).toEqual([host]);
    const failures = observed.flatMap((item) => (item.type === "connect-failed" ? [item] : []));
    expect(failures.filter(({ retryInMs }) => retryInMs === undefined)).toEqual([]);
    const codes = failures.map(({ error }) => MessagingError.is(error) && error.code);
    // A machine that is busy may take too long for the good one, too: then all are tried once more.
    for (const code of ["UNAVAILABLE", "NOT_FOUND", "UNAUTHENTICATED"]) expect(codes).toContain(code);
    expect(JSON.stringify(observed)).not.toContain("secret-word");
  });

  it("goes on to the next host after a loss, and says which one it uses", async () => {
    const [one, two] = [await proxied(), await proxied()];
    const { messaging, endpoints } = node({ url: [one.url, two.url] });
    const queue = messaging.queue(testQueue("rotated").name);
    const seen: string[] = [];
    await queue.consume(async ({ body }) => {
      seen.push(Buffer.from(body).toString());
    });
    await queue.publish({ body: Buffer.from("one") });
    // It stays away: only the other host can be used.
    await one.stop();
    await eventually(() => endpoints().length === 2, "the second host", 10_000);
    await queue.publish({ body: Buffer.from("two") });
    // The first may come twice: its ack may have been lost with its link.
    await eventually(() => seen.includes("one") && seen.includes("two"), "both messages");
    expect(endpoints()).toEqual([`127.0.0.1:${one.port}`, `127.0.0.1:${two.port}`]);
  });

  it("tells what all hosts refuse for good at once, naming each, and tries again when it is asked again", async () => {
    const url = [`amqp://guest:secret-word@${host}`, `amqp://nobody:secret-word@${host}`];
    const { messaging, observed } = node({ url });
    for (const attempts of [2, 4]) {
      const watch = new Stopwatch();
      const error = await messaging.open().catch((caught: unknown) => caught);
      expect(watch.undisturbedMs).toBeLessThan(5_000);
      if (!MessagingError.is(error, "UNAUTHENTICATED")) throw error;
      expect([error.retryable, error.message.split(host).length]).toEqual([false, 3]);
      expect(observed.filter(({ type }) => type === "connect-failed")).toHaveLength(attempts);
    }
    expect(JSON.stringify(observed.map(String))).not.toContain("secret-word");
  });

  it("is told at once of credentials that are wrong before any host is asked: no host has refused them", async () => {
    let asked = 0;
    const credentials = () => {
      asked += 1;
      return { username: "", password: "secret-word" };
    };
    const { messaging, observed } = node({ url: [`amqp://${host}`, `amqp://${host}`], credentials });
    const error = await messaging.open().catch((caught: unknown) => caught);
    expect(MessagingError.is(error, "INVALID_ARGUMENT") && error.message).toBe(
      "cannot connect to RabbitMQ: the credentials callback: it must resolve to { username, password }, both texts",
    );
    expect([asked, observed.filter(({ type }) => type === "connect-failed").length]).toEqual([1, 1]);
  });

  it("says what each refused, where they refuse for different reasons", async () => {
    const { messaging } = node({ url: [`amqp://guest:secret-word@${host}`, `${brokerUrl}/nowhere`] });
    const error = await messaging.open().catch((caught: unknown) => caught);
    expect(MessagingError.is(error, "INVALID_ARGUMENT")).toBe(true);
    expect(String(error)).toMatch(/refused user and password; .*virtual host/);
  });
});
