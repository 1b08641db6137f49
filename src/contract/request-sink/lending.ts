import assert from "node:assert";
import type { ContractCase } from "../case.js";
import { aborted } from "../queue/steps.js";
import { numbered } from "../text.js";
import { holding } from "./holding.js";
import { capacityInvariants, checkAll } from "./invariants.js";
import { echo, open, readWell, start } from "./steps.js";

/** Slots that one lane lends to another. */
export const lendingCases: readonly ContractCase[] = [
  {
    id: "R-95",
    sentence:
      "standard borrows free slots of bulk, never the last one, and the sum of what runs stays within the sum of slots",
    async run(context) {
      const held = await holding(context, "borrow", { concurrency: { expedite: 1, standard: 1, bulk: 4 } });
      const calls = numbered("c", 8).map((body) => start(held.sink, body));
      await context.until(
        () => (held.running.get("standard") ?? 0) >= 2,
        () => `more standard calls than its own slot; ${JSON.stringify([...held.running])}`,
        1_500,
      );
      await context.window(300, "what is lent at once is in use by then");
      assert.ok(
        (held.running.get("standard") ?? 0) <= 4,
        `${held.running.get("standard")} run: bulk lent its last slot`,
      );
      const bulk = start(held.sink, "bulk", { priority: "bulk" });
      await context.until(
        () => held.running.get("bulk") === 1,
        () => "a bulk call in the slot that bulk kept",
      );
      checkAll(capacityInvariants, held.ledger);
      held.release();
      await Promise.all([...calls, bulk].map((call) => readWell(context, call)));
      checkAll(capacityInvariants, held.ledger);
    },
  },
  {
    id: "R-96",
    sentence: "a lane that fills takes back what it lent as those calls end, one by one",
    async run(context) {
      const gates = numbered("c", 8).map(() => context.gate());
      const running: number[] = [];
      let now = 0;
      const { sink, service: own } = await open(
        context,
        "take-back",
        async (served) => {
          now += 1;
          running.push(now);
          if (served.request.priority === "standard") await gates[Number(served.text)]?.wait();
          else await aborted(served.context.signal);
          now -= 1;
          await echo(served, 0);
        },
        { serve: { concurrency: { expedite: 1, standard: 1, bulk: 3 } } },
      );
      const lent = Array.from({ length: 8 }, (_, index) => start(sink, String(index)));
      await own.calls.count(2, 1_500);
      await context.window(300, "what is lent at once is in use by then");
      const borrowed = own.calls.items.length;
      assert.ok(borrowed <= 3, `${borrowed} standard calls run with one slot and two to borrow`);
      const bulk = Array.from({ length: 3 }, (_, index) => start(sink, `bulk-${index}`, { priority: "bulk" }));
      const bulkRunning = () => own.calls.items.filter(({ request: { priority } }) => priority === "bulk").length;
      await context.until(
        () => bulkRunning() >= 1,
        () => `a bulk call in the slot that was kept; ${own.calls}`,
      );
      for (const gate of gates) gate.open();
      await context.until(
        () => bulkRunning() === 3,
        () => `all three bulk calls once the borrowers ended; ${own.calls}`,
        1_500,
      );
      await Promise.all(lent.map((call) => readWell(context, call)));
      checkAll(capacityInvariants, { capacity: 5, running });
      for (const call of bulk) call.abort();
    },
  },
  {
    id: "R-104",
    sentence: "standard lends to bulk only what it has beyond three free slots",
    async run(context) {
      const held = await holding(context, "spare", { concurrency: { expedite: 1, standard: 5, bulk: 1 } });
      const calls = numbered("c", 8).map((body) => start(held.sink, body, { priority: "bulk" }));
      await context.until(
        () => held.running.get("bulk") === 3,
        () => `two borrowed slots to be used; ${JSON.stringify([...held.running])}`,
        1_500,
      );
      await context.window(300, "a third would have been lent by then");
      assert.equal(held.running.get("bulk"), 3);
      const standard = numbered("s", 3).map((body) => start(held.sink, body));
      await context.until(
        () => held.running.get("standard") === 3,
        () => "the three slots that standard kept free to be used",
      );
      checkAll(capacityInvariants, held.ledger);
      held.release();
      await Promise.all([...calls, ...standard].map((call) => readWell(context, call)));
    },
  },
  {
    id: "R-105",
    sentence: "expedite borrows from bulk and from standard, which keep a slot each",
    async run(context) {
      const held = await holding(context, "urgent-borrows", { concurrency: { expedite: 1, standard: 2, bulk: 2 } });
      const calls = numbered("c", 6).map((body) => start(held.sink, body, { priority: "expedite" }));
      await context.until(
        () => held.running.get("expedite") === 3,
        () => `two borrowed slots to be used; ${JSON.stringify([...held.running])}`,
        1_500,
      );
      await context.window(300, "a last slot would have been lent by then");
      assert.equal(held.running.get("expedite"), 3);
      const others = (["bulk", "standard"] as const).map((priority) => start(held.sink, priority, { priority }));
      await context.until(
        () => held.running.get("bulk") === 1 && held.running.get("standard") === 1,
        () => "the slots that were kept to be used",
      );
      checkAll(capacityInvariants, held.ledger);
      held.release();
      await Promise.all([...calls, ...others].map((call) => readWell(context, call)));
    },
  },
  {
    id: "R-107",
    sentence: "only a slot that was free for a second is lent",
    async run(context) {
      const gate = context.gate();
      let freeAt = 0;
      const { sink, service: own } = await open(
        context,
        "free-for-a-second",
        async (served) => {
          if (served.text.startsWith("s")) await gate.wait();
          else await context.window(100, "the service works");
          await echo(served, 0);
          if (served.text.startsWith("b")) freeAt = performance.now();
        },
        { serve: { concurrency: { expedite: 1, standard: 1, bulk: 2 } } },
      );
      const bulk = ["b1", "b2"].map((body) => start(sink, body, { priority: "bulk" }));
      await own.calls.count(2);
      const standard = ["s1", "s2"].map((body) => start(sink, body));
      await Promise.all(bulk.map((call) => readWell(context, call)));
      const last = await own.calls.at(3, 1_500);
      assert.ok(last.at - freeAt >= 900, `lent ${Math.round(last.at - freeAt)} ms after it became free`);
      gate.open();
      await Promise.all(standard.map((call) => readWell(context, call)));
    },
  },
];
