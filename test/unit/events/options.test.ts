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
      maxCreditPerSubscriber: 100,
      lossesPerStep: 3,
      subscribeIntervalMs: 1_000,
      ackForwardIntervalMs: 250,
      ackForwardTimeoutMs: 2_000,
      closeForwardTimeoutMs: 1_000,
      postIdMemoryMs: 600_000,
      doneMemoryMs: 600_000,
      postTimeoutMs: 30_000,
      settleTimeoutMs: 5_000,
      endTimeoutMs: 1_000,
      deliver: true,
    });
    expect(Object.isFrozen(options)).toBe(true);
  });

  it("allows events as large as the adapter, and no larger", () => {
    expect(resolveEventOptions({ maxEventBytes: 2_000_000 }, capabilities).maxEventBytes).toBe(2_000_000);
    expect(() => resolveEventOptions({ maxEventBytes: 2_000_001 }, capabilities)).toThrow(/maxEventBytes.*2000000/);
    const small = memoryDriver({ maxMessageBytes: 1_000 }).capabilities;
    expect(resolveEventOptions({}, small).maxEventBytes).toBe(1_000);
  });

  it("waits for an ack no longer than the broker lets an event be held, twice over", () => {
    const held = (holdMs: number) => memoryDriver({ capabilities: { queue: { holdMs } } }).capabilities;
    const minutes = held(1_800_000);
    expect(resolveEventOptions({ ackTimeoutMs: 810_000 }, minutes).ackTimeoutMs).toBe(810_000);
    const refused = /ackTimeoutMs must be at most 810000: the broker takes back what is held for 1800000 ms/;
    expect(() => resolveEventOptions({ ackTimeoutMs: 810_001 }, minutes)).toThrow(refused);
    expect(resolveEventOptions({ ackTimeoutMs: 86_400_000 }, capabilities).ackTimeoutMs).toBe(86_400_000);
    expect(resolveEventOptions({}, held(1_000)).ackTimeoutMs).toBe(450);
  });

  it.each<[string, object, RegExp]>([
    ["an unknown key", { ackTimeout: 5 }, /unknown option ackTimeout; known are queue, /],
    ["an empty queue", { queue: "" }, /queue must be/],
    ["no ack timeout", { ackTimeoutMs: 0 }, /ackTimeoutMs must be/],
    ["half an event of credit", { creditPerSubscriber: 0.5 }, /creditPerSubscriber must be/],
    ["less credit later than at first", { creditPerSubscriber: 5, maxCreditPerSubscriber: 4 }, /must not be less than/],
    ["no losses", { lossesPerStep: 0 }, /lossesPerStep must be/],
    ["a negative interval", { subscribeIntervalMs: -1 }, /subscribeIntervalMs must be/],
    ["an ack that is sent again without end", { ackForwardIntervalMs: 0 }, /ackForwardIntervalMs must be/],
    ["a post id that is known for ever", { postIdMemoryMs: Number.POSITIVE_INFINITY }, /postIdMemoryMs must be/],
    ["text for a flag", { deliver: "no" }, /deliver must be true or false/],
    ["text for a number", { postTimeoutMs: "30s" }, /postTimeoutMs must be/],
    ["a schedule that is no list", { retryScheduleMs: 5 }, /retryScheduleMs must be a list/],
    ["a schedule with text", { retryScheduleMs: [1, "2"] }, /retryScheduleMs must hold milliseconds/],
    ["a negative step", { retryScheduleMs: [-1] }, /retryScheduleMs must hold milliseconds/],
    ["a step of infinity", { retryScheduleMs: [Number.POSITIVE_INFINITY] }, /retryScheduleMs must hold/],
    ["a schedule without end", { retryScheduleMs: Array.from({ length: 51 }, () => 1) }, /at most 50/],
  ])("refuses %s", (_, options, text) => {
    expect(() => resolveEventOptions(options as EventOptions, capabilities)).toThrow(text);
  });

  it("lets the credit stay as large as it begins", () => {
    expect(resolveEventOptions({ creditPerSubscriber: 500 }, capabilities).maxCreditPerSubscriber).toBe(500);
  });

  it("names all faults at once, when the service is made", async () => {
    const messaging = createMessaging({ driver: memoryDriver() });
    const options = { messaging, ackTimeoutMs: -1, settleTimeoutMs: 0, nonsense: true };
    expect(() => createEventService(options)).toThrow(/nonsense.*ackTimeoutMs.*settleTimeoutMs/);
    expect(() => createEventService({ messaging, queue: "x".repeat(151) })).toThrow(/150/);
    await messaging.close();
  });
});
