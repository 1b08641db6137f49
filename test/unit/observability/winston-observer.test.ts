import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import { createLogger, type LoggerOptions, winstonObserver } from "../../../src/observability/index.js";
import type { Observation } from "../../../src/ports/observer.js";

function linesOf(options: LoggerOptions, observations: readonly Observation[]): string[] {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk.toString());
      done();
    },
  });
  const observe = winstonObserver(createLogger({ ...options, stream }));
  for (const observation of observations) observe(observation);
  return chunks
    .join("")
    .split("\n")
    .filter((line) => line !== "");
}

const entriesOf = (level: LoggerOptions["level"], observations: readonly Observation[]): Record<string, unknown>[] =>
  linesOf({ level, format: "json" }, observations).map((line) => JSON.parse(line) as Record<string, unknown>);

const refused = new MessagingError("UNAVAILABLE", "connect ECONNREFUSED 127.0.0.1:1");
const common = { queue: "orders", messageId: "m-1", attempt: 1, ms: 3, reached: true } as const;

const ALL: readonly Observation[] = [
  { type: "connection", state: "connecting" },
  { type: "connect-failed", error: refused, retryInMs: 120.7 },
  { type: "connection", state: "open" },
  { type: "connection", state: "reconnecting", error: refused },
  { type: "connect-failed", error: refused, retryInMs: 120.7 },
  { type: "connection", state: "open" },
  { type: "blocked", blocked: true },
  { type: "blocked", blocked: false },
  { type: "consumer", queue: "orders", state: "running" },
  { type: "consumer", queue: "orders", state: "recovering", error: refused },
  { type: "subscription", broadcast: "news", state: "live" },
  { type: "subscription", broadcast: "news", state: "recovering" },
  { type: "published", queue: "orders", messageId: "m-1", ms: 2, sends: 1 },
  { type: "publish-failed", queue: "orders", messageId: "m-1", error: refused },
  { type: "settled", outcome: "ack", ...common },
  { type: "settled", outcome: "ack", ...common, reached: false },
  { type: "settled", outcome: "retry", ...common, reason: "later" },
  { type: "settled", outcome: "release", ...common },
  { type: "settled", outcome: "dead-letter", ...common, reason: "poison" },
  { type: "request-server", sink: "report", state: "running" },
  { type: "request-server", sink: "report", state: "recovering", error: refused },
  { type: "inbox", state: "live" },
  { type: "inbox", state: "recovering", error: refused },
  { type: "call", side: "client", sink: "report", callId: "c-1", responses: 3, ms: 5 },
  { type: "call", side: "server", sink: "report", callId: "c-1", responses: 0, ms: 5, error: refused },
  { type: "call-abandoned", sink: "report", callId: "c-1" },
  { type: "handler-failed", source: "orders", messageId: "m-1", error: new TypeError("no such field") },
  { type: "discarded", source: "news", reason: "1000 messages wait already" },
  { type: "event-subscriber", clientId: "c", change: "joined", unacknowledged: 0 },
  { type: "event-attempt-failed", messageId: "m-1", attempt: 1, clientId: "c", reason: "nack" },
  { type: "event-ack-ignored", reason: "late" },
  { type: "event-intake-failed", error: refused, retryInMs: 1000.4 },
  { type: "connection", state: "closed" },
];

describe("winstonObserver", () => {
  it("writes one line for each observation at debug, each with its level", () => {
    expect(entriesOf("debug", ALL).map(({ level, message }) => `${String(level)} ${String(message)}`)).toEqual([
      "debug connection connecting",
      "debug connect failed",
      "debug connection open",
      "warn connection lost, reconnecting",
      "warn connect failed",
      "info connection open",
      "warn the broker takes no publishes (a memory or disk alarm)",
      "info the broker takes publishes again",
      "info consumer running",
      "warn consumer recovering",
      "info subscription live",
      "warn subscription recovering",
      "debug published",
      "warn publish failed",
      "debug ack",
      "warn ack lost, the message will come again",
      "info retry",
      "debug release",
      "warn dead-lettered",
      "info server running",
      "warn server recovering",
      "debug inbox live",
      "warn inbox recovering",
      "debug call ended",
      "info call failed",
      "warn a sink goes on with a call that is over",
      "warn handler failed",
      "warn discarded",
      "info subscriber joined",
      "info event not acknowledged",
      "info ack ignored, its token is not in use",
      "warn no events can be taken",
      "debug connection closed",
    ]);
  });

  it("keeps the messages that went well out of info, and state changes out of warn", () => {
    const levels = (level: LoggerOptions["level"]): unknown[] => entriesOf(level, ALL).map((entry) => entry.level);
    expect(new Set(levels("info"))).toEqual(new Set(["info", "warn"]));
    expect(new Set(levels("warn"))).toEqual(new Set(["warn"]));
  });

  it("gives fields, and a stack only at debug", () => {
    const observation: Observation = { type: "publish-failed", queue: "orders", messageId: "m-1", error: refused };
    const [entry] = entriesOf("info", [observation]);
    expect(entry).toEqual({
      level: "warn",
      message: "publish failed",
      queue: "orders",
      messageId: "m-1",
      error: refused.message,
      code: "UNAVAILABLE",
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
    expect(entriesOf("debug", [observation])[0]?.stack).toMatch(/at /);
  });

  it("stays quiet, at info, about a connection that never opened: its opener is told", () => {
    const entries = entriesOf("info", [
      { type: "connection", state: "connecting" },
      { type: "connect-failed", error: refused, retryInMs: undefined },
      { type: "connection", state: "idle", error: refused },
      { type: "connection", state: "closed" },
    ]);
    expect(entries).toEqual([]);
  });

  it("writes text in one line each, whatever an error says", () => {
    const lines = linesOf({ format: "text" }, [
      { type: "discarded", source: "a b", reason: "first\nsecond", messageId: "m-1" },
      { type: "handler-failed", source: "q", messageId: "m-2", error: new Error('2026 error "x"\r\nforged') },
    ]);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^\S+Z warn {2}discarded source="a b" reason="first\\nsecond" messageId=m-1$/);
    expect(lines[1]).toContain("forged");
  });
});
