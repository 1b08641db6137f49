import { describe, expect, it } from "vitest";
import { DEAD_QUEUE_HEADER, DEAD_REASON_HEADER } from "../../../src/driver/reserved-headers.js";
import type { MessageHeaders } from "../../../src/ports/message.js";
import { deferred } from "../../../src/util/deferred.js";
import { type ScriptedDelivery, scriptedDelivery } from "../../support/scripted-delivery.js";
import { watch } from "../../support/scripted-messaging.js";
import { inspectionRig, storedMessage } from "./inspection-rig.js";

const dead = (id: string, headers: MessageHeaders = {}, deliveries = 1): ScriptedDelivery =>
  scriptedDelivery(id, { [DEAD_QUEUE_HEADER]: "orders", [DEAD_REASON_HEADER]: "why", ...headers }, deliveries);

describe("replay", () => {
  it("publishes what the application published, and nothing of how it died", async () => {
    const rig = await inspectionRig();
    const letter = dead("a", {
      own: "kept",
      "fairlead-losses": "3",
      "dead-letter-at": "x",
      "dead-letter-attempts": "5",
    });
    rig.ready.push(letter);
    expect(await rig.inspection.replay("orders.dead")).toBe(1);
    expect(rig.published).toHaveLength(1);
    const [{ queue, message } = { queue: "", message: letter.message }] = rig.published;
    expect([queue, message.messageId, message.headers]).toEqual(["orders", "a", { own: "kept" }]);
    expect(message.persistent).toBe(true);
    expect(letter.settlements).toEqual(["ack"]);
  });

  it("keeps a message until its copy is confirmed, and gives it back when that fails", async () => {
    const rig = await inspectionRig();
    const gate = deferred<void>();
    const letter = dead("a");
    rig.ready.push(letter);
    rig.gates.publish = gate.promise;
    const replay = watch(rig.inspection.replay("orders.dead"));
    await rig.clock.settle();
    expect(letter.settlements).toEqual([]);
    await rig.clock.pass(30_000);
    expect(replay).toMatchObject({ state: "rejected", error: { code: "UNAVAILABLE" } });
    expect(letter.settlements).toEqual(["release"]);
  });

  it("keeps to its rate by the clock, and holds nothing while it waits", async () => {
    const rig = await inspectionRig();
    rig.ready.push(...["a", "b", "c"].map((id) => dead(id)));
    const moved: number[] = [];
    const replay = watch(
      rig.inspection.replay("orders.dead", { ratePerSecond: 2, limit: 3, onMoved: (count) => moved.push(count) }),
    );
    await rig.clock.settle();
    expect([moved, rig.ready.length]).toEqual([[1], 2]);
    await rig.clock.pass(499);
    expect([moved, rig.ready.length]).toEqual([[1], 2]);
    await rig.clock.pass(501);
    expect(moved).toEqual([1, 2, 3]);
    expect(replay.state).toBe("resolved");
    expect(rig.clock.pending).toBe(0);
  });

  it("stops where a listener throws, and says how many were moved", async () => {
    const rig = await inspectionRig();
    const [a, b] = [dead("a"), dead("b")];
    rig.ready.push(a, b);
    const onMoved = (): void => {
      throw new Error("the listener's own");
    };
    await expect(rig.inspection.replay("orders.dead", { onMoved })).rejects.toThrow(/own.*\(1 had been moved\)/);
    expect(a.settlements).toEqual(["ack"]);
    expect(rig.ready).toEqual([b]);
  });

  it("goes through a store page by page, past what does not say where it came from", async () => {
    const rig = await inspectionRig("all");
    for (let index = 0; index < 250; index += 1) {
      rig.stored.push(storedMessage(`m${index}`, index % 50 === 0 ? {} : { [DEAD_QUEUE_HEADER]: "orders" }));
    }
    await expect(rig.inspection.replay("orders.dead", { limit: 1_000 })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(/5 are left.*first: m0.*245 had been moved/),
    });
    expect(rig.stored.map(({ message }) => message.messageId)).toEqual(["m0", "m50", "m100", "m150", "m200"]);
    expect(rig.published).toHaveLength(245);
    expect(Math.max(...rig.pages)).toBeLessThanOrEqual(105);
    expect(await rig.inspection.replay("orders.dead", { to: "other", limit: 2 })).toBe(2);
    expect(rig.stored).toHaveLength(3);
  });
});
