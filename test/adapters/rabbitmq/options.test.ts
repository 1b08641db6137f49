import { describe, expect, it } from "vitest";
import { rabbitmqDriver, rabbitmqModule, resolveRabbitmqOptions } from "../../../adapters/rabbitmq/index.js";
import { MessagingError } from "../../../src/index.js";

function faultOf(raw: unknown): string {
  try {
    resolveRabbitmqOptions(raw as Parameters<typeof resolveRabbitmqOptions>[0]);
  } catch (error) {
    if (MessagingError.is(error, "INVALID_ARGUMENT")) return error.message;
    throw error;
  }
  throw new Error("no fault was found");
}

describe("rabbitmq options", () => {
  it("fills in the defaults and freezes the result", () => {
    const resolved = resolveRabbitmqOptions({ url: "amqp://broker" });
    expect(resolved).toEqual({
      servers: [{ protocol: "amqp", hostname: "broker", port: 5672, username: "guest", password: "guest", vhost: "/" }],
      queueType: "quorum",
      topology: "declare",
      heartbeatSeconds: 10,
      connectTimeoutMs: 9_000,
      closeTimeoutMs: 5_000,
      deadMaxMessages: undefined,
      maxMessageBytes: 16_777_216,
      connectionName: "fairlead",
      consumerTimeoutMs: 1_800_000,
      credentials: undefined,
      tls: {},
    });
    expect(Object.isFrozen(resolved)).toBe(true);
  });

  it("reads every part of a URL", () => {
    const { servers } = resolveRabbitmqOptions({
      url: ["amqps://us%40er:p%3Ass@[::1]:5679/a%2Fb", "amqps://broker/", "amqps://name@broker:1"],
    });
    expect(servers).toEqual([
      { protocol: "amqps", hostname: "::1", port: 5679, username: "us@er", password: "p:ss", vhost: "a/b" },
      { protocol: "amqps", hostname: "broker", port: 5671, username: "guest", password: "guest", vhost: "/" },
      { protocol: "amqps", hostname: "broker", port: 1, username: "name", password: "", vhost: "/" },
    ]);
  });

  it.each([
    ["", "url is missing"],
    [undefined, "url is missing"],
    [42, "url is missing"],
    ["broker:5672", "url is not a URL"],
    ["http://broker", 'url has the scheme "http:"'],
    ["amqp://", "url names no host"],
    ["amqp://broker:0", "url has the port 0"],
    ["amqp://broker:99999", "url is not a URL"],
    ["amqp://broker/a/b", "write it as %2F"],
    ["amqp://user:12/34@broker", "in user and password, @ is %40"],
    ["amqp://broker?heartbeat=5", "give settings as options"],
    ["amqp://broker#x", "give settings as options"],
    ["amqp://user:%zz@broker", "write % itself as %25"],
    [[], "at least one URL"],
    [["amqp://broker", "broker"], "url[1] is not a URL"],
  ])("refuses the URL %j", (url, fault) => {
    expect(faultOf({ url })).toContain(fault);
  });

  it("names all faults at once, and unknown keys", () => {
    const fault = faultOf({
      url: "nowhere",
      queueType: "stream",
      topology: "maybe",
      heartbeatSeconds: 0,
      connectTimeoutMs: 9_501,
      closeTimeoutMs: -1,
      deadMaxMessages: "many",
      maxMessageBytes: 2 ** 28,
      connectionName: "",
      consumerTimeoutMs: 999,
      credentials: { username: "who", password: "secret" },
      prefetch: 10,
      tls: { ca: 1, cert: "x", passphrase: 1, verify: false },
    });
    for (const part of [
      "url is not a URL",
      'queueType must be "quorum" or "classic"',
      'topology must be "declare" or "check" or "none"',
      "heartbeatSeconds must be a whole number from 1 to 600",
      "connectTimeoutMs must be a whole number from 100 to 9500",
      "closeTimeoutMs must be",
      "deadMaxMessages must be",
      "maxMessageBytes must be",
      "connectionName must be",
      "consumerTimeoutMs must be",
      "credentials must be a function",
      "prefetch is unknown",
      "tls.ca must be PEM",
      "tls.cert and tls.key go together",
      "tls.passphrase must be a text",
      "tls.verify is unknown",
    ]) {
      expect(fault).toContain(part);
    }
    expect(faultOf(undefined)).toContain("must be an object");
    expect(faultOf({ url: "amqp://broker", tls: "yes" })).toContain("tls must be an object");
    expect(faultOf({ url: "amqp://broker", tls: {} })).toContain("write amqps:");
  });

  it("takes user and password from the URLs or from the callback, not from both", () => {
    const credentials = () => ({ username: "who", password: "secret" });
    expect(resolveRabbitmqOptions({ url: "amqp://broker", credentials }).credentials).toBe(credentials);
    const fault = faultOf({ url: ["amqp://broker", "amqp://who:secret@broker"], credentials });
    expect(fault).toContain("url[1] names a user, and so does credentials");
    expect(fault).not.toMatch(/who|secret/);
  });

  it("takes the broker's consumer_timeout, which may be switched off, as the longest that a message is held", () => {
    const holdOf = (consumerTimeoutMs?: number) =>
      rabbitmqDriver({ url: "amqp://broker", consumerTimeoutMs }).capabilities.queue.holdMs;
    expect([holdOf(), holdOf(5_000), holdOf(Number.POSITIVE_INFINITY)]).toEqual([1_800_000, 5_000, undefined]);
  });

  it("never quotes user or password", () => {
    for (const url of ["amqp:/who:secret@broker", "amqp://who:secret@broker:99999", "amqp://who:secret@b/x/y?z"]) {
      expect(faultOf({ url })).not.toMatch(/who|secret/);
    }
  });

  it("refuses faulty options in the driver and in the module, before anything connects", () => {
    const options = { url: "nowhere" };
    expect(() => rabbitmqDriver(options)).toThrow("url is not a URL");
    expect(() => rabbitmqModule(options)).toThrow("url is not a URL");
  });
});
