import { describe, expect, it } from "vitest";
import { memoryDriver } from "../../../adapters/memory/index.js";
import { createMessaging } from "../../../src/core/messaging.js";
import { createEventService, type EventOptions, resolveEventOptions } from "../../../src/events/index.js";

const { capabilities } = memoryDriver({ maxMessageBytes: 2_000_000 });

describe("options of the event service", () => {
  it("has the defaults that it documents, frozen", () => {
    const options = resolveEventOptions({}, capabilities);
    expect(options).toEqual({
      queue: "events",
      ackTimeoutMs: 5_000,
      retryScheduleMs: [60_000, 300_000, 900_000, 3_600_000, 21_600_000, 86_400_000, 172_800_000],
      maxEventBytes: 1_048_576,
      creditPerSubscriber: 3,
      postTimeoutMs: 30_000,
      settleTimeoutMs: 5_000,
      endTimeoutMs: 1_000,
    });
    expect(Object.isFrozen(options)).toBe(true);
  });

  it("allows events as large as the adapter, and no larger", () => {
    expect(resolveEventOptions({ maxEventBytes: 2_000_000 }, capabilities).maxEventBytes).toBe(2_000_000);
    expect(() => resolveEventOptions({ maxEventBytes: 2_000_001 }, capabilities)).toThrow(/maxEventBytes.*2000000/);
    const small = memoryDriver({ maxMessageBytes: 1_000 }).capabilities;
    expect(resolveEventOptions({}, small).maxEventBytes).toBe(1_000);
  });

  it.each<[string, object, RegExp]>([
    ["an unknown key", { ackTimeout: 5 }, /unknown option ackTimeout; known are queue, /],
    ["an empty queue", { queue: "" }, /queue must be/],
    ["no ack timeout", { ackTimeoutMs: 0 }, /ackTimeoutMs must be/],
    ["half an event of credit", { creditPerSubscriber: 0.5 }, /creditPerSubscriber must be/],
    ["text for a number", { postTimeoutMs: "30s" }, /postTimeoutMs must be/],
    ["a schedule that is no list", { retryScheduleMs: 5 }, /retryScheduleMs must be a list/],
    ["a schedule with text", { retryScheduleMs: [1, "2"] }, /retryScheduleMs must hold milliseconds/],
    ["a negative step", { retryScheduleMs: [-1] }, /retryScheduleMs must hold milliseconds/],
    ["a step of infinity", { retryScheduleMs: [Number.POSITIVE_INFINITY] }, /retryScheduleMs must hold/],
    ["a schedule without end", { retryScheduleMs: Array.from({ length: 51 }, () => 1) }, /at most 50/],
  ])("refuses %s", (_, options, text) => {
    expect(() => resolveEventOptions(options as EventOptions, capabilities)).toThrow(text);
  });

  it("names all faults at once, when the service is made", async () => {
    const messaging = createMessaging({ driver: memoryDriver() });
    const options = { messaging, ackTimeoutMs: -1, settleTimeoutMs: 0, nonsense: true };
    expect(() => createEventService(options)).toThrow(/nonsense.*ackTimeoutMs.*settleTimeoutMs/);
    expect(() => createEventService({ messaging, queue: "x".repeat(151) })).toThrow(/150/);
    await messaging.close();
  });
});
