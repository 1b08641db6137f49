import { describe, expect, it } from "vitest";
import { memoryDriver } from "../../../adapters/memory/index.js";
import { createMessaging } from "../../../src/core/messaging.js";
import { deferred } from "../../../src/util/deferred.js";
import { collectGarbage } from "../../support/collect-garbage.js";
import { type ScriptedDelivery, scriptedDelivery } from "../../support/scripted-delivery.js";
import { watch } from "../../support/scripted-messaging.js";
import { inspectionRig } from "./inspection-rig.js";

describe("looking by taking", () => {
  it("gives back everything before it resolves, in the order in which it was taken, and settles each once", async () => {
    const rig = await inspectionRig();
    const order: string[] = [];
    const all = ["a", "b", "c"].map((id) => scriptedDelivery(id, { keep: id === "b" ? "yes" : "no" }));
    rig.ready.push(
      ...all.map((delivery) => ({
        ...delivery,
        settle: async (settlement: Parameters<ScriptedDelivery["settle"]>[0]) => {
          order.push(delivery.message.messageId);
          return delivery.settle(settlement);
        },
      })),
    );
    const found = await rig.inspection.browse("orders", { headers: { keep: "yes" } });
    expect(found.map(({ messageId }) => messageId)).toEqual(["b"]);
    expect(order).toEqual(["a", "b", "c"]);
    expect(all.map(({ settlements }) => settlements)).toEqual([["release"], ["release"], ["release"]]);
    expect(rig.clock.pending).toBe(0);
  });

  it("stores a message anew that has been looked at often, so that nothing thinks it kills its handlers", async () => {
    const rig = await inspectionRig();
    const [often, seldom] = [
      scriptedDelivery("often", { "fairlead-losses": "2" }, 6),
      scriptedDelivery("seldom", {}, 5),
    ];
    rig.ready.push(often, seldom);
    await rig.inspection.browse("orders", { messageIds: ["none"] });
    expect(seldom.settlements).toEqual(["release"]);
    const headers = { "fairlead-losses": "2", "fairlead-released": "1" };
    expect(often.settlements).toEqual([{ retryInMs: 0, headers }]);
  });

  it("lets go of the messages that it does not show while it holds their places", async () => {
    const rig = await inspectionRig();
    const settled: string[] = [];
    const place = { settle: async (how: string) => settled.push(how) > 0 };
    const bodies = Array.from({ length: 50 }, (_, index) => {
      const { message, ...delivery } = scriptedDelivery(`m${index}`);
      const body = new Uint8Array(1_000);
      rig.ready.push({ ...delivery, message: { ...message, body }, place });
      return new WeakRef(body);
    });
    const gate = deferred<void>();
    Object.assign(rig.gates, { take: gate.promise, freeTakes: bodies.length });
    const browse = rig.inspection.browse("orders", { messageIds: ["none"] });
    await rig.clock.settle();
    collectGarbage();
    // The last one is still in the hands of whoever waits for the next, and what is being compiled may hold another.
    expect(bodies.filter((body) => body.deref() !== undefined).length).toBeLessThan(5);
    gate.resolve();
    expect(await browse).toEqual([]);
    expect(settled).toEqual(bodies.map(() => "release"));
  });

  it("ends with an error when the broker says nothing, and gives back what comes late", async () => {
    const rig = await inspectionRig();
    const gate = deferred<void>();
    rig.gates.take = gate.promise;
    const late = scriptedDelivery("late");
    rig.ready.push(late);
    const browse = watch(rig.inspection.browse("orders"));
    await rig.clock.pass(29_000);
    expect(browse.state).toBe("pending");
    await rig.clock.pass(1_000);
    expect(browse).toMatchObject({ state: "rejected", error: { code: "UNAVAILABLE" } });
    gate.resolve();
    await rig.clock.settle();
    expect(late.settlements).toEqual(["release"]);
    expect(rig.clock.pending).toBe(0);
  });

  it("waits for releases that do not arrive for a bounded time", async () => {
    const rig = await inspectionRig();
    rig.ready.push({ ...scriptedDelivery("a"), settle: () => new Promise(() => {}) });
    const browse = watch(rig.inspection.browse("orders"));
    await rig.clock.pass(4_900);
    expect(browse.state).toBe("pending");
    await rig.clock.pass(200);
    expect(browse.state).toBe("resolved");
  });

  it("is ended by its signal, a lost link and a close, each with its own code", async () => {
    const rig = await inspectionRig();
    const outcomes: unknown[] = [];
    const endings = [
      (abort: AbortController) => abort.abort(),
      () => rig.lose(),
      () => void rig.messaging.close({ drainMs: 0 }),
    ];
    for (const end of endings) {
      const [abort, gate] = [new AbortController(), deferred<void>()];
      // One is taken, the second is asked for and comes too late.
      const [held, late] = [scriptedDelivery("held"), scriptedDelivery("late")];
      Object.assign(rig.gates, { take: gate.promise, freeTakes: 1 });
      rig.ready.push(held, late);
      const browse = watch(rig.inspection.browse("orders", { signal: abort.signal }));
      await rig.clock.settle();
      end(abort);
      await rig.clock.settle();
      gate.resolve();
      await rig.clock.pass(200);
      outcomes.push((browse.error as { readonly code?: unknown } | undefined)?.code);
      expect([held.settlements, late.settlements]).toEqual([["release"], ["release"]]);
    }
    expect(outcomes).toEqual(["ABORTED", "UNAVAILABLE", "CLOSED"]);
    await expect(rig.inspection.browse("orders")).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("holds a bounded number of messages and bytes, says so, and gives them back", async () => {
    const messaging = createMessaging({ driver: memoryDriver() });
    const { inspection } = messaging;
    const small = messaging.queue("small");
    for (let sent = 0; sent < 100_500; sent += 500) {
      await Promise.all(Array.from({ length: 500 }, () => small.publish({ body: new Uint8Array(1) })));
    }
    const rejected = { code: "REJECTED", retryable: false };
    await expect(inspection?.browse("small", { messageIds: ["none"] })).rejects.toMatchObject({
      ...rejected,
      message: expect.stringMatching(/^browse small: more than 100000 messages would have to be held at once: /),
    });
    expect((await inspection?.counts("small"))?.ready).toBe(100_500);
    expect(await inspection?.browse("small", { limit: 100_000 })).toHaveLength(100_000);
    expect(await inspection?.remove("small", { limit: 100_000 })).toBe(100_000);
    const large = messaging.queue("large");
    for (let sent = 0; sent < 70; sent += 1) await large.publish({ body: new Uint8Array(1_048_576) });
    await expect(inspection?.browse("large")).rejects.toMatchObject({
      ...rejected,
      message: expect.stringContaining("more than 64 MiB of bodies"),
    });
    expect(await inspection?.browse("large", { limit: 60 })).toHaveLength(60);
    expect(await inspection?.browse("large", { messageIds: ["none"] })).toEqual([]);
    expect((await inspection?.counts("large"))?.ready).toBe(70);
    await messaging.close({ drainMs: 0 });
  });
});

describe("removing by taking", () => {
  it("says how many it had removed when it cannot go on", async () => {
    const rig = await inspectionRig();
    const lost = { ...scriptedDelivery("b"), settle: async () => false };
    rig.ready.push(scriptedDelivery("a"), lost, scriptedDelivery("c"));
    await expect(rig.inspection.remove("orders", {})).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: "remove from orders: the link was lost before message b was removed (1 had been removed)",
    });
  });
});
