import { describe, expect, it } from "vitest";
import { memoryDriver } from "../../../adapters/memory/index.js";
import { exitCodeOf, failureText } from "../../../src/cli/failure.js";
import { deadLine, eventRow, messageBlock, messageJson } from "../../../src/cli/message-text.js";
import { readWhere } from "../../../src/cli/operator-flags.js";
import { runProgram } from "../../../src/cli/program.js";
import { createMessaging } from "../../../src/core/messaging.js";
import { createEventService } from "../../../src/events/index.js";
import type { InspectedMessage } from "../../../src/ports/inspection.js";

const message: InspectedMessage = {
  messageId: "id-1",
  body: Buffer.from('{"a":\n 12345678901234567890}'),
  headers: {
    "dead-letter-reason": "two\nlines and\u0007a bell",
    "dead-letter-queue": "orders",
    "dead-letter-at": "2026-01-02T03:04:05.678Z",
    "dead-letter-attempts": "7",
    "event-key1": "5",
  },
  state: "available",
  attempt: 1,
  publishedAt: Date.UTC(2026, 0, 1),
  dueAt: undefined,
  changedAt: undefined,
};

describe("how messages are shown", () => {
  it("keeps each within its line, and digits and bytes as they are", () => {
    expect(deadLine(message)).toBe(
      'id-1  2026-01-02T03:04:05.678Z  attempts=7  orders  "two lines and a bell"  {"a":  12345678901234567890}',
    );
    expect(eventRow(message)).toBe(
      'id-1  available  2026-01-01T00:00:00.000Z  attempt=1  client=  key1=5  key2=0  {"a":  12345678901234567890}',
    );
    const json = messageJson(message);
    expect(json).not.toContain("\n");
    expect(json).toContain('"body":{"a":  12345678901234567890}}');
    expect(JSON.parse(json)).toMatchObject({ messageId: "id-1", dueAt: null, publishedAt: "2026-01-01T00:00:00.000Z" });
    expect(messageBlock(message)).toContain('\n\n{"a":\n 12345678901234567890}\n');
  });

  it("shows what is no JSON as text, and what is no text as bytes", () => {
    const shown = (body: Uint8Array): unknown =>
      (JSON.parse(messageJson({ ...message, body })) as { body: unknown }).body;
    expect(shown(Buffer.from("plain"))).toBe("plain");
    expect(shown(new Uint8Array(0))).toBe("");
    expect(shown(Uint8Array.of(255, 0))).toEqual({ bytes: 2, base64: "/wA=" });
    expect(deadLine({ ...message, body: Uint8Array.of(255, 0) })).toMatch(/\(2 bytes\)$/);
    expect(deadLine({ ...message, body: Buffer.from("ż".repeat(200)) })).toMatch(/ {2}ż{80}…$/);
    expect(deadLine({ ...message, headers: {} })).toContain('  -  attempts=-  -  "unknown"  ');
    expect(messageJson({ ...message, publishedAt: Number.POSITIVE_INFINITY })).toContain('"publishedAt":null');
  });
});

describe("--where", () => {
  it("takes headers by name, values with =, and short names for what events carry", async () => {
    const faults: string[] = [];
    const where = ["x-region=a=b", "client=me", "token=t", "key1=5", "key2=-7"];
    const headers = readWhere(where, faults);
    expect(faults).toEqual([]);
    expect(headers["x-region"]).toBe("a=b");

    const messaging = createMessaging({ driver: memoryDriver() });
    const events = createEventService({ messaging });
    await events.post({ body: new Uint8Array(1), clientId: "me", userToken: "t", searchKey1: 5n, searchKey2: -7n });
    const { "x-region": _, ...own } = headers;
    expect(await messaging.inspection?.browse(events.queue, { headers: own })).toHaveLength(1);
    await events.close({ drainMs: 0 });
    await messaging.close({ drainMs: 0 });
  });

  it("names what it cannot use", () => {
    const faults: string[] = [];
    readWhere(["key1", "=x", "key1=5", "key1=6", "key2=0"], faults);
    expect(faults).toEqual([
      '--where: "key1" must be key=value',
      '--where: "=x" must be key=value',
      "--where: key1 is given twice",
      "--where: key2=0 is the same as no key2",
    ]);
  });
});

describe("fairlead dead and events, given nonsense", { timeout: 60_000 }, () => {
  it.each([
    [["dead"], "dead: no command was given; known are list, show, replay and purge"],
    [["dead", "lst"], 'dead: unknown command "lst"'],
    [["dead", "list", "--where", "key1"], '--where: "key1" must be key=value'],
    [["dead", "list", "--where", "key1=0"], "--where: key1=0 is the same as no key1"],
    [["dead", "list", "--limit", "0"], "--limit: must be a whole number from 1 to 100000"],
    [["dead", "list", "--server", "h:1", "--broker", "amqp://h"], "--server and --broker: give one of them"],
    [["dead", "list", "--broker", "memory:"], "memory: lives within one process"],
    [["dead", "list", "--broker", "sqlite:/no/such/file.db"], "--broker: there is no file /no/such/file.db"],
    [["dead", "replay", "--rate", "0"], "--rate: must be a number of messages a second"],
    [["events", "lst"], 'events: unknown command "lst"; known are list, show, remove and counts'],
    [["events", "list", "--key1", "x", "--from", "x", "--state", "lost"], "--key1: must be a whole number"],
    [["events", "list", "--from", "2030-01-02", "--until", "2030-01-01"], "--from: must be before --until"],
    [["events", "counts", "--key1", "5"], "unknown option '--key1'"],
    [["events", "counts", "--limit", "5"], "unknown option '--limit'"],
    [["events", "counts", "--where", "key1=5"], "unknown option '--where'"],
    [["events", "remove"], "remove: say which, with --id, --key1, --until and so on, or --all"],
  ])("%j", async (args, text) => {
    const error = await runProgram(args).then(
      () => new Error("it did not fail"),
      (thrown: unknown) => thrown,
    );
    expect(failureText(error)).toContain(text);
    expect(exitCodeOf(error)).toBe(2);
  });
});
