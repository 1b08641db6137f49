import { expect, it } from "vitest";
import { memoryDriver } from "../../../adapters/memory/index.js";
import { gatewaySinks } from "../../../src/cli/gateway-sinks.js";
import { createMessaging } from "../../../src/index.js";

it("reaches what is served here and what is named, and nothing else", async () => {
  await using messaging = createMessaging({ driver: memoryDriver() });
  const find = gatewaySinks(["here"], ["there"]);
  expect(["here", "there", "elsewhere"].map((name) => find(name, messaging) !== undefined)).toEqual([
    true,
    true,
    false,
  ]);
});

it("reaches any name with *, but lets nobody fill the broker with queues", async () => {
  await using messaging = createMessaging({ driver: memoryDriver() });
  let now = 0;
  const find = gatewaySinks(["here"], ["*"], () => now);
  expect(() => find("", messaging)).toThrow("non-empty");
  for (let index = 0; index < 1_000; index += 1) expect(find(`sink ${index}`, messaging)).toBeDefined();
  expect(() => find("one more", messaging)).toThrow(/1000 other sinks.*--remote-sinks/);
  expect(find("sink 0", messaging)).toBeDefined();
  expect(find("here", messaging)).toBeDefined();

  now = 599_999;
  expect(find("sink 0", messaging)).toBeDefined();
  expect(() => find("one more", messaging)).toThrow("1000 other sinks");
  // Those that nobody uses any more give way, one for one.
  now = 600_000;
  for (let index = 0; index < 999; index += 1) expect(find(`another ${index}`, messaging)).toBeDefined();
  expect(() => find("too many", messaging)).toThrow("1000 other sinks");
  expect(find("sink 0", messaging)).toBeDefined();
});
