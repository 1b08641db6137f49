import { describe, expect, it } from "vitest";
import { Refusals } from "../../../adapters/rabbitmq/refusals.js";

describe("refusals of a rabbitmq queue", () => {
  it("may be of an election for five seconds, and then not until the queue has stored something", () => {
    const refusals = new Refusals();
    const at = (seconds: number) => refusals.refused(seconds * 1_000);
    expect([at(100), at(103), at(105), at(105.001), at(120), at(149)]).toEqual([true, true, true, false, false, false]);
    refusals.stored();
    expect([at(150), at(155), at(156)]).toEqual([true, true, false]);
  });

  it("are of another election when they are half a minute apart", () => {
    const refusals = new Refusals();
    const at = (seconds: number) => refusals.refused(seconds * 1_000);
    expect([at(0), at(30), at(60.001), at(65), at(66)]).toEqual([true, false, true, true, false]);
  });
});
