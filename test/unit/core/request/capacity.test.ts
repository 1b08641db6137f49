import { describe, expect, it } from "vitest";
import { Capacity, FREE_FOR_MS } from "../../../../src/core/request/capacity.js";
import type { Priority } from "../../../../src/ports/message.js";
import { VirtualClock } from "../../../support/virtual-clock.js";

/** Lanes that have been free for long enough to lend. */
async function capacity(expedite: number, standard: number, bulk: number) {
  const clock = new VirtualClock();
  const lanes = new Capacity(clock, { expedite, standard, bulk });
  await clock.pass(FREE_FOR_MS);
  const fill = (lane: Priority, count = lanes.limit(lane)): void => {
    while (lanes.running(lane) < count) lanes.take(lane);
  };
  return { clock, lanes, fill };
}

describe("Capacity", () => {
  it("lends upwards from bulk, then to expedite from standard; a lane that is not full borrows nothing", async () => {
    const { lanes, fill } = await capacity(2, 5, 5);
    expect(lanes.nextLoan("standard")).toBeUndefined();
    fill("standard");
    expect(lanes.nextLoan("standard")).toEqual({ from: "bulk", to: "standard" });
    fill("bulk");
    expect(lanes.nextLoan("standard")).toBeUndefined();
    fill("expedite");
    expect(lanes.nextLoan("expedite")).toBeUndefined();
  });

  it("lends from standard to bulk only above three free", async () => {
    const { lanes, fill } = await capacity(2, 5, 5);
    fill("bulk");
    fill("standard", 1);
    expect(lanes.nextLoan("bulk")).toEqual({ from: "standard", to: "bulk" });
    fill("standard", 2);
    expect(lanes.nextLoan("bulk")).toBeUndefined();
  });

  it("lends only what was free for a second", async () => {
    const { clock, lanes, fill } = await capacity(2, 3, 3);
    fill("standard");
    fill("bulk");
    for (let ended = 0; ended < 3; ended += 1) lanes.release("bulk");
    expect(lanes.nextLoan("standard")).toBeUndefined();
    await clock.pass(FREE_FOR_MS - 1);
    expect(lanes.nextLoan("standard")).toBeUndefined();
    await clock.pass(1);
    expect(lanes.nextLoan("standard")).toEqual({ from: "bulk", to: "standard" });
  });

  it("never lends the last slot, nor what is borrowed", async () => {
    const { lanes, fill } = await capacity(1, 1, 2);
    fill("standard");
    const loan = lanes.nextLoan("standard");
    expect(loan).toEqual({ from: "bulk", to: "standard" });
    lanes.lower("bulk");
    lanes.raise("standard");
    lanes.lent({ from: "bulk", to: "standard" });
    fill("expedite");
    expect(lanes.nextLoan("standard")).toBeUndefined();
    expect(lanes.nextLoan("expedite")).toBeUndefined();
  });

  it("gives back what a full lender is owed as soon as the borrower has one free", async () => {
    const { lanes, fill } = await capacity(2, 2, 3);
    fill("standard");
    const loan = { from: "bulk", to: "standard" } as const;
    lanes.lower("bulk");
    lanes.raise("standard");
    lanes.lent(loan);
    fill("standard");
    fill("bulk");
    expect(lanes.nextReturn("bulk")).toBeUndefined();
    lanes.release("standard");
    expect(lanes.owedBy("standard")).toEqual(loan);
    expect(lanes.nextReturn("bulk")).toEqual(loan);
    lanes.returned(loan);
    expect(lanes.loans).toEqual([]);
  });
});
