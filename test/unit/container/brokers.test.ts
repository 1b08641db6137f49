import { describe, expect, it } from "vitest";
import { brokerModule, checkBrokerUrl, maskBrokerUrl } from "../../../src/container/index.js";
import { MessagingError } from "../../../src/index.js";

function faultOf(url: string | readonly string[]): string {
  try {
    checkBrokerUrl(url);
  } catch (error) {
    if (MessagingError.is(error, "INVALID_ARGUMENT")) return error.message;
    throw error;
  }
  throw new Error("no fault");
}

describe("brokers", () => {
  it.each([
    ["memory:"],
    ["MEMORY:"],
    ["sqlite:./data/events.db"],
    ["sqlite:/var/lib/fairlead/events, of today.db"],
    ["sqlite:///var/lib/fairlead/events.db"],
    ["amqp://127.0.0.1"],
    ["amqp://guest:guest@127.0.0.1:5672/%2f"],
    ["amqps://u:p%40ss@[::1]:5671/orders"],
    ["amqp://u:p@one:5672,amqp://u:p@two:5672"],
  ])("takes %s", (url) => {
    expect(() => checkBrokerUrl(url)).not.toThrow();
    expect(brokerModule(url)).toBeDefined();
  });

  it("takes several hosts as a list", () => {
    expect(() => brokerModule(["amqp://one", "amqps://two"])).not.toThrow();
  });

  it.each([
    ["kafka://host:9092", "unknown scheme kafka:"],
    ["", "no scheme"],
    ["localhost", "no scheme"],
    ["/tmp/socket", "no scheme"],
    ["memory:orders", "nothing after the colon"],
    ["memory://", "nothing after the colon"],
    ["sqlite:", "names no file"],
    ["sqlite://", "names no file"],
    ["sqlite://host/file.db", "takes a path and no host"],
    ["sqlite::memory:", "the memory adapter"],
    ["sqlite:./directory/", "not of a directory"],
    [["sqlite:a.db", "sqlite:b.db"], "must stand alone"],
    ["amqp:", "names no host"],
    ["amqp://", "names no host"],
    ["amqp:host", "names no host"],
    ["amqp://host:99999", "malformed"],
    ["amqp://host:port", "malformed"],
    ["amqp://ho st", "malformed"],
    [["memory:", "memory:"], "must stand alone"],
    [["memory:", "amqp://host"], "different brokers"],
    [[], "is missing"],
  ])("refuses %j: %s", (url, fault) => {
    const text = faultOf(url);
    expect(text).toContain(fault);
    expect(text).not.toContain("\n");
  });

  it("names what it knows, with examples", () => {
    const known =
      "known schemes: memory:, sqlite:, amqp:, amqps:; for example memory: or sqlite:./data/events.db or amqp://";
    expect(faultOf("kafka://host")).toContain(known);
  });

  it.each([
    ["amqp://user:hunter2@host:port"],
    ["amqp://user:hunter2/x@host"],
    ["amqp://user:12/hunter2@host"],
    ["amqp://user:12#hunter2@host"],
    ["amqp://user:12?hunter2@host"],
    ["amqp:user:hunter2@host"],
    ["user:hunter2@host:5672"],
    ["kafka://user:hunter2@host"],
    ["hunter2@host"],
  ])("never quotes the password of %s", (url) => {
    expect(faultOf(url)).not.toContain("hunter2");
    expect(maskBrokerUrl(url)).not.toContain("hunter2");
  });

  it.each([
    ["memory:", "memory:"],
    ["sqlite:./data/a@b.db", "sqlite:./data/a@b.db"],
    ["amqp://127.0.0.1:5672", "amqp://127.0.0.1:5672"],
    ["amqp://u:p@host:5672/vhost?heartbeat=5", "amqp://***@host:5672/vhost"],
    ["amqps://token@host", "amqps://***@host"],
    ["amqp://u:p@one,amqp://u:p@two", "amqp://***@one,amqp://***@two"],
  ])("shows %s as %s", (url, shown) => {
    expect(maskBrokerUrl(url)).toBe(shown);
  });
});
