import { inspect } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { type RabbitmqOptions, rabbitmqDriver } from "../../../adapters/rabbitmq/index.js";
import { createMessaging, MessagingError, type Observation } from "../../../src/index.js";
import { brokerNode, brokerPort } from "./broker.js";
import { connectError } from "./connect-error.js";
import { eventually, proxied, testQueue } from "./rig.js";
import { CLIENT_PASSPHRASE, pem, startTlsListener } from "./tls-listener.js";
import { testUser } from "./users.js";

const WORDS = ["planted-user", "planted-word", CLIENT_PASSPHRASE, "PRIVATE KEY"];

/** Everything that an error or an observation shows, however it is printed: text, stack, causes, hidden fields. */
function shown(value: unknown): string {
  const parts = [String(value), json(value), inspect(value, { depth: 30, showHidden: true, getters: true })];
  for (let error = value; error instanceof Error; error = error.cause) {
    parts.push(error.message, error.stack ?? "", json(error), ...Object.values(error).map((each) => inspect(each)));
  }
  return parts.join("\n");
}

/** A certificate refers to itself. */
function json(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return "";
  }
}

function expectNothingPlanted(what: string, value: unknown, words: readonly string[] = WORDS): void {
  const text = shown(value);
  for (const word of words) expect(text.includes(word), `${word} in ${what}: ${text.slice(0, 2_000)}`).toBe(false);
  // The base64 and the SASL form of what was planted.
  for (const word of words) {
    const encoded = Buffer.from(word).toString("base64").replace(/=+$/, "").slice(0, -1);
    expect(text.includes(encoded), `${word}, encoded, in ${what}`).toBe(false);
  }
}

/** As HTTP clients fail: the error holds the request. */
function failingRequest(): never {
  const config = { headers: { Authorization: "Basic planted-word" }, data: "user=planted-user" };
  throw Object.assign(new Error("Request failed with status code 401"), { config });
}

function refusal(): never {
  throw new MessagingError("INVALID_ARGUMENT", "no", { cause: new Error("planted-word") });
}

describe("what is secret in rabbitmq", () => {
  it("is in no error of connecting, whatever fails", async () => {
    const user = "planted-user:planted-word";
    const host = `127.0.0.1:${brokerPort}`;
    const [refusing, hanging, half] = [await proxied(), await proxied(), await proxied()];
    await refusing.stop();
    hanging.setTrap({ kind: "stall", afterServerBytes: 0 });
    half.setTrap({ kind: "cut", afterServerBytes: 100 });
    const tls = `amqps://${user}@127.0.0.1:${await startTlsListener()}`;
    const own = { cert: pem("client.pem"), key: pem("client.key"), passphrase: CLIENT_PASSPHRASE };
    const source = () => ({ username: "planted-user", password: "planted-word" });
    const failing: Record<string, RabbitmqOptions> = {
      "a wrong password": { url: `amqp://${user}@${host}` },
      "a wrong virtual host": { url: `amqp://${user}@${host}/nowhere` },
      "a host that refuses": { url: refusing.url.replace("//", `//${user}@`) },
      "a host that is silent": { url: hanging.url.replace("//", `//${user}@`), connectTimeoutMs: 300 },
      "a host that breaks off": { url: half.url.replace("//", `//${user}@`) },
      "a host that is unknown": { url: `amqp://${user}@no-such-host.invalid`, connectTimeoutMs: 2_000 },
      "TLS to where there is none": { url: `amqps://${user}@${host}` },
      "no TLS to where there is": { url: tls.replace("amqps", "amqp") },
      "an authority that is unknown": { url: tls, tls: own },
      "another name": { url: tls, tls: { ...own, ca: pem("ca.pem"), serverName: "other.fairlead.test" } },
      "no certificate": { url: tls, tls: { ca: pem("ca.pem") } },
      "a stranger's certificate": {
        url: tls,
        tls: { cert: pem("stranger.pem"), key: pem("stranger.key"), ca: pem("ca.pem") },
      },
      "a wrong password after TLS": { url: tls, tls: { ...own, ca: pem("ca.pem") } },
      "a wrong password of a callback": { url: `amqp://${host}`, credentials: source },
      "a callback whose request fails": { url: `amqp://${host}`, credentials: failingRequest },
      "a callback that refuses": { url: `amqp://${host}`, credentials: refusal },
      "half of the credentials": { url: `amqp://${host}`, credentials: () => ({ ...source(), expiresInMs: -1 }) },
    };
    for (const [what, options] of Object.entries(failing)) expectNothingPlanted(what, await connectError(options));
  });

  it("is in no error of options", () => {
    const user = "planted-user:planted-word";
    const faulty: unknown[] = [
      ...[`amqp:/${user}@h`, `amqp://${user}@h:99999`, `amqp://${user}@h/a/b`, `amqp://${user}@h?x`, `ftp://${user}@h`],
      ...[`amqp://planted-user:planted-word/2@h`, `amqp://planted-user:%zz@h`, `amqp://${user}`],
    ].map((url) => ({ url }));
    faulty.push(
      { url: "amqp://h", credentials: { username: "planted-user", password: "planted-word" } },
      { url: `amqp://${user}@h`, credentials: () => ({ username: "x", password: "y" }) },
      { url: "amqps://h", tls: { cert: pem("client.pem"), key: pem("client.key"), passphrase: "planted-word" } },
      { url: "amqps://h", tls: { cert: pem("client.pem"), key: "planted-word" } },
    );
    for (const options of faulty) {
      let error: unknown;
      try {
        rabbitmqDriver(options as RabbitmqOptions);
      } catch (caught) {
        error = caught;
      }
      expect(MessagingError.is(error, "INVALID_ARGUMENT")).toBe(true);
      expectNothingPlanted("options", error);
    }
  });

  it("is in no observation, error or connection name of a link that lives, is renewed, lost and refused", async () => {
    const proxy = await proxied();
    const { username, password, changePassword } = await testUser();
    const observed: Observation[] = [];
    const credentials = () => ({ username, password, expiresInMs: 400 });
    const driver = rabbitmqDriver({ url: proxy.url, credentials, closeTimeoutMs: 1_000 });
    const messaging = createMessaging({ driver, observers: [(item) => observed.push(item)] });
    onTestFinished(() => messaging.close({ drainMs: 0 }));
    const queue = messaging.queue(testQueue("secrets").name);
    await queue.publish({ body: Buffer.from("one") });
    await eventually(() => observed.some(({ type }) => type === "credentials"), "a renewal");
    const names = await brokerNode().control("list_connections", "client_properties");
    for (const word of [username, password]) expect(names).not.toContain(word);
    expect(names).toContain("fairlead (publishing)");
    const errors: unknown[] = [];
    await brokerNode().control("clear_permissions", username);
    errors.push(
      await messaging
        .queue(`${queue.name}.no`)
        .publish({ body: Buffer.from("x") })
        .catch((e: unknown) => e),
    );
    await changePassword("planted-word");
    proxy.cut();
    await eventually(() => observed.some(({ type }) => type === "connect-failed"), "a refusal");
    const late = queue.publish({ body: Buffer.from("two") }, { timeoutMs: 300 });
    errors.push(await late.catch((error: unknown) => error));
    await messaging.close({ drainMs: 0 });
    for (const error of errors) expect(MessagingError.is(error)).toBe(true);
    const [denied] = errors;
    expect(MessagingError.is(denied, "PERMISSION_DENIED")).toBe(true);
    expectNothingPlanted("the driver", driver, [password, "planted-word"]);
    expectNothingPlanted("observations", observed, [username, password, "planted-word"]);
    for (const error of errors) expectNothingPlanted("an error", error, [username, password, "planted-word"]);
  });
});
