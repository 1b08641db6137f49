import { expect, test } from "vitest";
import { checkHeaders, checkName, checkPublishOptions, resolveConsumeOptions } from "../../../src/core/options.js";
import type { QueueSpec } from "../../../src/driver/driver.js";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import type { ConsumeOptions, PublishOptions } from "../../../src/ports/queue.js";
import { ScriptedDriver } from "../../support/scripted-driver.js";

const { capabilities } = new ScriptedDriver();
const orders: QueueSpec = { name: "orders", deadLetterQueue: "orders.dead", lanes: false };
const requests: QueueSpec = { name: "orders", deadLetterQueue: undefined, lanes: true };

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (MessagingError.is(error, "INVALID_ARGUMENT")) return error.message;
    throw error;
  }
  throw new Error("not refused");
}

test("names: up to 150 bytes of UTF-8 without control characters or broken pairs", () => {
  for (const name of ["a", "orders.eu", "Größe/ü 漢字", "x".repeat(150)]) checkName("queue", name);
  for (const name of ["", "a\nb", "a\u0000", "\ud800", "x".repeat(151), "ü".repeat(76), undefined, 7]) {
    expect(refusal(() => checkName("queue", name))).toMatch(/name/);
  }
});

test("headers: text only, no reserved prefix, all faults at once", () => {
  checkHeaders({ "x-trace": "1", größe: "ü" });
  const bad = { "fairlead-failures": "9", count: 3 as unknown as string, "": "x" };
  expect(refusal(() => checkHeaders(bad))).toMatch(/fairlead-failures.*count.*empty name/s);
});

test("publish options: every bound is checked, unknown keys are refused by name, all faults at once", () => {
  checkPublishOptions({ delayMs: 0, expiresInMs: 1, timeoutMs: 1, priority: "bulk" }, capabilities, orders);
  const bad = { delayMs: -1, expiresInMs: 0, timeoutMs: 0, priority: "high", ttl: 5 } as unknown as PublishOptions;
  const text = refusal(() => checkPublishOptions(bad, capabilities, orders));
  for (const name of ["delayMs", "expiresInMs", "timeoutMs", "priority", "ttl"]) expect(text).toContain(name);
  for (const delayMs of [Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(refusal(() => checkPublishOptions({ delayMs }, capabilities, orders))).toContain("delayMs");
  }
});

test("consume options: defaults, bounds and unknown keys", () => {
  expect(resolveConsumeOptions({}, capabilities, orders)).toMatchObject({
    concurrency: 1,
    prefetch: 1,
    maxAttempts: 5,
    maxDeliveries: 20,
  });
  expect(resolveConsumeOptions({ concurrency: 7, prefetch: 3 }, capabilities, orders).prefetch).toBe(7);
  const bad = { concurrency: 1.5, prefetch: -1, maxAttempts: 0, maxDeliveries: Number.NaN, batch: 2 } as ConsumeOptions;
  const text = refusal(() => resolveConsumeOptions(bad, capabilities, orders));
  for (const name of ["concurrency", "prefetch", "maxAttempts", "maxDeliveries", "batch"]) expect(text).toContain(name);
});

test("consume options of a queue with lanes: a lane, and no bounds that only dead letters could keep", () => {
  const unlimited = { maxAttempts: Number.POSITIVE_INFINITY, maxDeliveries: Number.POSITIVE_INFINITY };
  expect(resolveConsumeOptions({ ...unlimited, lane: "bulk" }, capabilities, requests).lane).toBe("bulk");
  expect(resolveConsumeOptions(unlimited, capabilities, requests).lane).toBeUndefined();
  expect(() => resolveConsumeOptions({ lane: "bulk" }, capabilities, requests)).toThrow(/orders has lanes.*Infinity/);
  expect(refusal(() => resolveConsumeOptions({ lane: "bulk" }, capabilities, orders))).toMatch(/orders has none/);
  const bad = { ...unlimited, lane: "urgent" } as unknown as ConsumeOptions;
  expect(refusal(() => resolveConsumeOptions(bad, capabilities, requests))).toMatch(/bulk, standard or expedite/);
});

test("publish options of a queue with lanes: priority and expiry without capabilities of their own, no delay, nothing kept", () => {
  const { queue } = capabilities;
  const lesser = { ...capabilities, queue: { ...queue, priority: false, deadLetter: false, delayedDelivery: false } };
  checkPublishOptions({ priority: "bulk", expiresInMs: 5, delayMs: 0, persistent: false }, lesser, requests);
  expect(() => checkPublishOptions({ priority: "bulk" }, lesser, orders)).toThrow(
    /priority is false.*queue with lanes/,
  );
  expect(() => checkPublishOptions({ delayMs: 1 }, capabilities, requests)).toThrow(/^delayMs: .*without lanes$/);
  expect(() => checkPublishOptions({ persistent: true }, capabilities, requests)).toThrow(
    /^persistent: .*without lanes/,
  );
});
