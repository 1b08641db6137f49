import { expect, test } from "vitest";
import { checkHeaders, checkName, checkPublishOptions, resolveConsumeOptions } from "../../../src/core/options.js";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import type { ConsumeOptions, PublishOptions } from "../../../src/ports/queue.js";
import { ScriptedDriver } from "../../support/scripted-driver.js";

const { capabilities } = new ScriptedDriver();

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
  checkPublishOptions({ delayMs: 0, expiresInMs: 1, timeoutMs: 1, priority: "bulk" }, capabilities);
  const bad = { delayMs: -1, expiresInMs: 0, timeoutMs: 0, priority: "high", ttl: 5 } as unknown as PublishOptions;
  const text = refusal(() => checkPublishOptions(bad, capabilities));
  for (const name of ["delayMs", "expiresInMs", "timeoutMs", "priority", "ttl"]) expect(text).toContain(name);
  for (const delayMs of [Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(refusal(() => checkPublishOptions({ delayMs }, capabilities))).toContain("delayMs");
  }
});

test("consume options: defaults, bounds and unknown keys", () => {
  expect(resolveConsumeOptions({}, capabilities)).toMatchObject({
    concurrency: 1,
    prefetch: 1,
    maxAttempts: 5,
    maxDeliveries: 20,
  });
  expect(resolveConsumeOptions({ concurrency: 7, prefetch: 3 }, capabilities).prefetch).toBe(7);
  const bad = { concurrency: 1.5, prefetch: -1, maxAttempts: 0, maxDeliveries: Number.NaN, batch: 2 } as ConsumeOptions;
  const text = refusal(() => resolveConsumeOptions(bad, capabilities));
  for (const name of ["concurrency", "prefetch", "maxAttempts", "maxDeliveries", "batch"]) expect(text).toContain(name);
});
