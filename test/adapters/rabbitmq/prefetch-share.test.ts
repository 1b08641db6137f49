import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ConsumerShare, nextPrefetchStep } from "../../../adapters/rabbitmq/prefetch-share.js";

const change = fc.oneof(
  fc.record({ kind: fc.constant("prefetch" as const), prefetch: fc.nat(300) }),
  fc.record({ kind: fc.constant("deliver" as const), count: fc.nat(50) }),
  fc.record({ kind: fc.constant("settle" as const), from: fc.nat(), count: fc.nat(50) }),
);

describe("prefetch shares", () => {
  it("add up to the prefetch, with what is still out of cancelled ones, and stay few", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
        let prefetch = 0;
        let live: ConsumerShare[] = [];
        const leftOvers: ConsumerShare[] = [];
        const leftOver = (): number => leftOvers.reduce((sum, share) => sum + share.out, 0);
        const room = (): number => live.reduce((sum, share) => sum + share.prefetch, 0);

        const adjust = (): void => {
          for (let steps = 0; ; steps += 1) {
            expect(steps, "it does not come to an end").toBeLessThan(400);
            const step = nextPrefetchStep(prefetch, live, leftOver());
            if (step === undefined) break;
            if (step.kind === "add") {
              expect(step.prefetch).toBeGreaterThan(0);
              live.push({ prefetch: step.prefetch, out: 0, cancelled: false, consumerTag: undefined });
            } else {
              expect(step.shares.length).toBeGreaterThan(0);
              leftOvers.push(...step.shares);
              live = live.filter((share) => !step.shares.includes(share));
            }
          }
          expect(live.length).toBeLessThanOrEqual(32);
          if (live.length > 0) expect(room() + leftOver()).toBeLessThanOrEqual(prefetch);
          // Nothing is left unused, but for a part while there are many and cancelled ones still hold some.
          if (leftOver() === 0) expect(room()).toBe(prefetch);
          else if (live.length < 12) expect(room() + leftOver()).toBe(Math.max(prefetch, leftOver()));
          else expect(2 * room() + leftOver()).toBeGreaterThanOrEqual(Math.min(prefetch, leftOver() + 1));
        };

        for (const next of changes) {
          if (next.kind === "prefetch") prefetch = next.prefetch;
          else if (next.kind === "deliver") {
            for (const share of live) share.out = Math.min(share.prefetch, share.out + next.count);
          } else {
            const all = [...live, ...leftOvers];
            const share = all[next.from % Math.max(1, all.length)];
            if (share !== undefined) share.out = Math.max(0, share.out - next.count);
          }
          adjust();
        }
      }),
      { numRuns: 300 },
    );
  });

  it("shrinks by the consumer that fits, and grows without cancelling any", () => {
    const share = (prefetch: number): ConsumerShare => ({ prefetch, out: 0, cancelled: false, consumerTag: "tag" });
    const [three, six] = [share(3), share(6)];
    expect(nextPrefetchStep(6, [three, six], 0)).toEqual({ kind: "cancel", shares: [three] });
    expect(nextPrefetchStep(3, [three, six], 0)).toEqual({ kind: "cancel", shares: [six] });
    expect(nextPrefetchStep(12, [three, six], 0)).toEqual({ kind: "add", prefetch: 3 });
    expect(nextPrefetchStep(9, [three, six], 0)).toBeUndefined();
    expect(nextPrefetchStep(0, [], 4)).toBeUndefined();
  });
});
