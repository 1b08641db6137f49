import { describe, expect, it } from "vitest";
import { combineOutcomes, hasHeld, Ledger } from "../../tools/faults/ledger/ledger.js";

describe("the ledger of a fault round", () => {
  it("counts what was sent, confirmed and handled, and how often", () => {
    const ledger = new Ledger();
    const [first, second, third] = [ledger.send(), ledger.send(), ledger.send()];
    ledger.confirm(first);
    ledger.confirm(second);
    ledger.fail(third);
    expect([ledger.handle(first), ledger.handle(first), ledger.handle(second)]).toEqual([true, false, true]);
    expect(ledger.outcome()).toMatchObject({
      sent: 3,
      confirmed: 2,
      handled: 2,
      duplicates: 1,
      lost: 0,
      unsettled: 0,
      violations: [],
    });
  });

  it("names what was confirmed and never came, and what did not settle", () => {
    const ledger = new Ledger();
    const numbers = Array.from({ length: 20 }, () => ledger.send());
    for (const number of numbers.slice(0, 15)) ledger.confirm(number);
    for (const number of numbers.slice(0, 3)) ledger.handle(number);
    const outcome = ledger.outcome();
    expect([outcome.lost, outcome.unsettled]).toEqual([12, 5]);
    expect(outcome.violations).toEqual(["lost: 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, …"]);
    expect(hasHeld(outcome)).toBe(false);
  });

  it("takes neither what is kept for an operator, nor what failed and came all the same, for a loss", () => {
    const ledger = new Ledger();
    const [kept, keptFirst, failed] = [ledger.send(), ledger.send(), ledger.send()];
    ledger.confirm(kept);
    ledger.keep(kept);
    ledger.keep(keptFirst);
    ledger.confirm(keptFirst);
    ledger.fail(failed);
    ledger.handle(failed);
    expect(hasHeld(ledger.outcome())).toBe(true);
    expect(ledger.missing).toBe(0);
  });

  it("takes what is handled before its confirm, and a second settlement", () => {
    const ledger = new Ledger();
    const number = ledger.send();
    ledger.handle(number);
    ledger.confirm(number);
    ledger.confirm(number);
    ledger.fail(number);
    expect(ledger.outcome()).toMatchObject({ sent: 1, confirmed: 1, handled: 1, lost: 0, unsettled: 0 });
  });

  it("knows its own tokens only", () => {
    const [one, other] = [new Ledger(), new Ledger()];
    const number = one.send();
    expect(one.numberOf(one.tokenOf(number))).toBe(number);
    expect(other.numberOf(one.tokenOf(number))).toBeUndefined();
    expect(one.numberOf("nonsense")).toBeUndefined();
    one.handle(17);
    expect(one.outcome().violations).toEqual(["1 came that nobody had sent"]);
  });

  it("measures the longest time in which something was due and nothing came", async () => {
    const ledger = new Ledger();
    ledger.handle(ledger.send());
    // Nothing is due here.
    await pause(120);
    const dueAt = performance.now();
    const number = ledger.send();
    await pause(60);
    ledger.handle(number);
    const tookMs = performance.now() - dueAt;
    const { longestGapMs } = ledger.outcome();
    expect(longestGapMs).toBeGreaterThanOrEqual(50);
    expect(longestGapMs).toBeLessThanOrEqual(Math.ceil(tookMs) + 1);
  });

  it("holds a million in a byte each", () => {
    const ledger = new Ledger();
    for (let count = 0; count < 1_000_000; count += 1) ledger.confirm(ledger.send());
    for (let number = 0; number < 1_000_000; number += 1) if (number !== 777_777) ledger.handle(number);
    expect(ledger.lost()).toEqual([777_777]);
  });

  it("sums up several, with the longest gap and the names", () => {
    const ledger = new Ledger();
    ledger.confirm(ledger.send());
    const sum = combineOutcomes({
      queue: { ...ledger.outcome({ notes: ["slow"] }), longestGapMs: 7 },
      calls: { ...new Ledger().outcome({ stuck: 2 }), longestGapMs: 3 },
    });
    expect(sum).toMatchObject({ sent: 1, lost: 1, stuck: 2, longestGapMs: 7, notes: ["queue: slow"] });
    expect(sum.violations).toEqual(["queue: lost: 0"]);
  });
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
