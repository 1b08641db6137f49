import { describe, expect, it } from "vitest";
import { Lingering } from "../../../adapters/grpc/lingering.js";
import { VirtualClock } from "../../support/virtual-clock.js";

function lingering() {
  const clock = new VirtualClock();
  const start = clock.now();
  const given: number[] = [];
  return { clock, given, subject: new Lingering(clock, () => given.push(clock.now() - start)) };
}

describe("the close of a call's stream", () => {
  it("is not waited for before the last word, nor after the stream is closed", async () => {
    const { clock, given, subject } = lingering();
    subject.progress();
    await clock.pass(1_000_000);
    subject.start(false);
    subject.stop();
    await clock.pass(1_000_000);
    expect(given).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it("is given up 300 s after the reader has taken something last", async () => {
    const { clock, given, subject } = lingering();
    subject.start(false);
    await clock.pass(200_000);
    subject.progress();
    await clock.pass(299_000);
    expect(given).toEqual([]);
    await clock.pass(2_000);
    expect(given).toEqual([500_000]);
  });

  it("is given up 10 s after a refusal, also one that comes behind the end", async () => {
    const { clock, given, subject } = lingering();
    subject.start(false);
    subject.start(true);
    await clock.pass(11_000);
    expect(given).toEqual([10_000]);
  });
});
