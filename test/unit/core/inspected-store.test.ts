import { describe, expect, it } from "vitest";
import { deferred } from "../../../src/util/deferred.js";
import { watch } from "../../support/scripted-messaging.js";
import { inspectionRig, storedMessage } from "./inspection-rig.js";

describe("a store", () => {
  it("answers for itself, and gets selections with their limit and states", async () => {
    const rig = await inspectionRig("all");
    rig.stored.push(storedMessage("a"), storedMessage("b"));
    expect(await rig.inspection.browse("orders")).toHaveLength(2);
    expect(rig.pages).toEqual([100]);
    expect(await rig.inspection.remove("orders", { messageIds: ["a"] })).toBe(1);
    expect(await rig.inspection.update("orders", "b", new Uint8Array(1))).toBe(true);
    expect(await rig.inspection.update("orders", "a", new Uint8Array(1))).toBe(false);
    await expect(rig.inspection.update("orders", "b", new Uint8Array(1_001))).rejects.toMatchObject({
      code: "TOO_LARGE",
    });
  });

  it("is waited for when a call ends early, so that its error says what was done", async () => {
    const rig = await inspectionRig("all");
    rig.stored.push(...["a", "b", "c"].map((id) => storedMessage(id)));
    for (const [what, start] of [
      ["moved", (signal: AbortSignal) => rig.inspection.replay("orders.dead", { signal, limit: 2 })],
      ["removed", (signal: AbortSignal) => rig.inspection.remove("orders.dead", { signal })],
    ] as const) {
      const [abort, gate] = [new AbortController(), deferred<void>()];
      rig.gates.publish = gate.promise;
      const call = watch(start(abort.signal));
      await rig.clock.settle();
      abort.abort();
      await rig.clock.settle();
      expect(call.state).toBe("pending");
      gate.resolve();
      await rig.clock.settle();
      const message = expect.stringMatching(new RegExp(`aborted by its signal \\(\\d had been ${what}\\)`));
      expect(call).toMatchObject({ state: "rejected", error: { code: "ABORTED", message } });
    }
    expect(rig.signals.map((signal) => signal?.aborted)).toEqual([true]);
    expect([rig.stored.length, rig.published.length]).toEqual([0, 2]);
    expect(rig.clock.pending).toBe(0);
  });

  it("that does not end either is waited for in bounded time", async () => {
    const rig = await inspectionRig("all");
    rig.stored.push(storedMessage("a"));
    rig.gates.publish = new Promise(() => {});
    const call = watch(rig.inspection.remove("orders.dead", {}));
    await rig.clock.pass(34_900);
    expect(call.state).toBe("pending");
    await rig.clock.pass(200);
    expect(call).toMatchObject({ state: "rejected", error: { code: "UNAVAILABLE" } });
  });

  it("is given no more to move at once than some bytes, and at least one", async () => {
    const rig = await inspectionRig("all");
    const sizes = [3, 3, 3, 3, 20, 1, 1];
    rig.stored.push(...sizes.map((size, index) => ({ ...storedMessage(`m${index}`), bodyBytes: size * 1_048_576 })));
    expect(await rig.inspection.replay("orders.dead")).toBe(7);
    expect(rig.moves).toEqual([3, 2, 2]);
    rig.stored.push(...Array.from({ length: 250 }, (_, index) => storedMessage(`n${index}`)));
    expect(await rig.inspection.replay("orders.dead", { limit: 220 })).toBe(220);
    expect(rig.moves.slice(3)).toEqual([100, 100, 20]);
  });

  it("moves what a replay selects, counts what was moved, and calls for each", async () => {
    const rig = await inspectionRig("all");
    rig.stored.push(...["a", "b", "c"].map((id) => storedMessage(id)));
    const gate = deferred<void>();
    rig.gates.publish = gate.promise;
    const moved: number[] = [];
    const replay = rig.inspection.replay("orders.dead", { onMoved: (count) => moved.push(count) });
    await rig.clock.settle();
    // Somebody else was there first.
    rig.stored.splice(1, 1);
    gate.resolve();
    expect(await replay).toBe(2);
    expect(moved).toEqual([1, 2]);
    expect(rig.published.map(({ queue, message }) => [queue, message.messageId, message.headers])).toEqual([
      ["orders", "a", {}],
      ["orders", "c", {}],
    ]);
  });
});
