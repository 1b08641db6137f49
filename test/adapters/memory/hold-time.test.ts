import { describe, expect, it, onTestFinished } from "vitest";
import { memoryDriver } from "../../../adapters/memory/index.js";
import { type ContractCase, contractCases, notVerified, runCase, verifiedCases } from "../../../src/contract/index.js";
import { createMessaging, type Observation } from "../../../src/index.js";
import { waitUntil } from "../../../tools/process/wait-until.js";
import { memoryHarness } from "./contract-harness.js";

/** A twentieth of it is all that a machine that is busy may be late by. */
const HOLD_MS = 1_500;

const MASKS = {
  "with everything": { holdMs: HOLD_MS },
  "without delays and dead letters": { holdMs: HOLD_MS, delayedDelivery: false, deadLetter: false },
};

const limited = ({ where }: ContractCase): boolean => where?.["queue.holdMs"] === true;

describe.each(Object.entries(MASKS))("a memory broker that takes back what is held, %s", (name, queue) => {
  const harness = memoryHarness(name, { capabilities: { queue } });
  const applying = verifiedCases(harness).filter(limited);

  it.concurrent.each(applying.map((subject) => ({ title: `${subject.id} ${subject.sentence}`, subject })))(
    "$title",
    ({ subject }) => runCase(subject, harness),
  );
});

describe("a limit that is too long to wait for", () => {
  it("is named as not verified, and where there is none the cases do not apply", () => {
    const ids = contractCases.filter(limited).map(({ id }) => id);
    const long = memoryHarness("long", { capabilities: { queue: { holdMs: 1_800_000 } } });
    expect(notVerified(long).flatMap(({ id, missing }) => (missing.includes("shortHold") ? [id] : []))).toEqual(ids);
    const none = memoryHarness("none");
    expect([...notVerified(none), ...verifiedCases(none)].filter(({ id }) => ids.includes(id))).toEqual([]);
  });

  it("leaves handlers alone where there is no limit at all", async () => {
    const observed: Observation[] = [];
    const messaging = createMessaging({ driver: memoryDriver(), observers: [(item) => observed.push(item)] });
    onTestFinished(() => messaging.close({ drainMs: 0 }));
    const queue = messaging.queue("unhurried");
    const settled: Promise<boolean>[] = [];
    await queue.consume(async (delivery) => {
      settled.push(delivery.settled);
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(delivery.signal.aborted).toBe(false);
    });
    await queue.publish({ body: new Uint8Array() });
    await waitUntil(() => settled.length === 1, { what: "the delivery", timeoutMs: 20_000 });
    expect(await settled[0]).toBe(true);
    expect(observed.some(({ type }) => type === "delivery-held")).toBe(false);
  });
});
