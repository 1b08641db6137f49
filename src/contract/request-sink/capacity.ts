import assert from "node:assert";
import type { ContractCase } from "../case.js";
import { numbered } from "../text.js";
import { holding } from "./holding.js";
import { capacityInvariants, checkAll } from "./invariants.js";
import {
  echo,
  keepAliveMs,
  ONE_EACH,
  open,
  readFailure,
  readWell,
  respond,
  type ServedCall,
  service,
  start,
} from "./steps.js";

/** How many calls run at once, on which node, and who gets them. */
export const capacityCases: readonly ContractCase[] = [
  {
    id: "R-90",
    sentence: "each lane has its own slots: a lane that is full holds up none of the others",
    async run(context) {
      const held = await holding(context, "lanes", { concurrency: ONE_EACH });
      const { sink, running } = held;
      const calls = (["bulk", "standard", "expedite"] as const).flatMap((priority) =>
        numbered(priority, 4).map((body) => start(sink, body, { priority })),
      );
      await context.until(
        () => running.get("bulk") === 1 && running.get("standard") === 1 && running.get("expedite") === 1,
        () => `one of each to run: ${JSON.stringify([...running])}`,
      );
      await context.window(100, "a fourth call would have started by then");
      checkAll(capacityInvariants, held.ledger);
      held.release();
      await Promise.all(calls.map((call) => readWell(context, call)));
      checkAll(capacityInvariants, held.ledger);
    },
  },
  {
    id: "R-91",
    sentence: "an expedite call is served while standard and bulk are full of calls and of waiting requests",
    async run(context) {
      const held = await holding(context, "urgent", { concurrency: ONE_EACH });
      const { sink, running } = held;
      const calls = (["bulk", "standard"] as const).flatMap((priority) =>
        numbered(priority, 10).map((body) => start(sink, body, { priority })),
      );
      await context.until(
        () => running.get("bulk") === 1 && running.get("standard") === 1,
        () => "both lanes to be full",
      );
      const urgent = start(sink, "urgent", { priority: "expedite" });
      await context.until(
        () => running.get("expedite") === 1,
        () => "the expedite call to start",
      );
      held.release();
      assert.deepEqual(await readWell(context, urgent), ["urgent"]);
      await Promise.all(calls.map((call) => readWell(context, call)));
    },
  },
  {
    id: "R-92",
    sentence: "a slot is held until the call ends, not only until its handler returns",
    async run(context) {
      const gate = context.gate();
      const {
        sink,
        service: own,
        server,
      } = await open(
        context,
        "until-the-end",
        (served) => {
          const later = async (): Promise<void> => {
            await gate.wait();
            await echo(served, 0);
          };
          void later();
        },
        { serve: { concurrency: ONE_EACH } },
      );
      const calls = ["one", "two"].map((body) => start(sink, body));
      await own.calls.count(1);
      await context.window(100, "a second call would have started by then");
      assert.equal(own.calls.items.length, 1);
      assert.equal(server.inFlight, 1);
      gate.open();
      await Promise.all(calls.map((call) => readWell(context, call)));
      await context.until(
        () => server.inFlight === 0,
        () => `in flight ${server.inFlight}`,
      );
    },
  },
  {
    id: "R-93",
    sentence: "a busy node hoards nothing: what it cannot start goes to a node that comes later",
    async run(context) {
      const held = await holding(context, "hoard", { concurrency: ONE_EACH });
      const calls = numbered("c", 10).map((body) => start(held.sink, body));
      await held.service.calls.count(1);
      await context.window(50, "the other requests are in the queue by then");
      const other = service(context, echo);
      await context.serve(await context.node(), held.name, other, { concurrency: ONE_EACH });
      await other.calls.count(9);
      held.release();
      assert.deepEqual(
        (await Promise.all(calls.map((call) => readWell(context, call)))).flat().sort(),
        numbered("c", 10),
      );
      assert.equal(held.service.calls.items.length, 1);
    },
  },
  {
    id: "R-94",
    sentence: "servers share the load: together they run as many calls as they have slots",
    async run(context) {
      const one = await holding(context, "share", { concurrency: { expedite: 1, standard: 3, bulk: 1 } });
      const gate = context.gate();
      const other = service(context, async (served) => {
        await gate.wait();
        await echo(served, 0);
      });
      await context.serve(await context.node(), one.name, other, {
        concurrency: { expedite: 1, standard: 3, bulk: 1 },
      });
      const calls = numbered("c", 6).map((body) => start(one.sink, body));
      await context.until(
        () => one.service.calls.items.length === 3 && other.calls.items.length === 3,
        () => `three calls each; ${one.service.calls}; ${other.calls}`,
      );
      one.release();
      gate.open();
      await Promise.all(calls.map((call) => readWell(context, call)));
    },
  },
  {
    id: "R-97",
    sentence:
      "hundreds of short calls in all lanes, with aborts among them, never exceed the slots and leave none taken",
    async run(context) {
      const lanes = ["bulk", "standard", "expedite"] as const;
      const gate = context.gate();
      const running = new Set<ServedCall>();
      /** By lane that was asked for: how many ran at each start. A call that was aborted has given its slot back. */
      const ran = new Map<string, number[]>();
      const laneOf = ({ text: body }: ServedCall): string => body.split("-")[0] ?? "";
      const {
        sink,
        server,
        service: own,
      } = await open(
        context,
        "mixed",
        async (served) => {
          running.add(served);
          const beside = [...running].filter((one) => laneOf(one) === laneOf(served) && !one.context.signal.aborted);
          ran.set(laneOf(served), [...(ran.get(laneOf(served)) ?? []), beside.length]);
          await new Promise((resolve) => setImmediate(resolve));
          if (served.text.endsWith("last")) await gate.wait();
          await respond(served, served.text);
          running.delete(served);
          served.context.end();
        },
        { serve: { concurrency: ONE_EACH } },
      );
      const calls = Array.from({ length: 300 }, async (_, index) => {
        const priority = lanes[index % 3] ?? "standard";
        const stream = start(sink, `${priority}-${index}`, { priority });
        if (index % 10 === 9) {
          stream.abort();
          assert.deepEqual((await readFailure(context, stream, "ABORTED", context.recoveryMs)).texts, []);
        } else assert.deepEqual(await readWell(context, stream, context.recoveryMs), [`${priority}-${index}`]);
      });
      await Promise.all(calls);
      for (const lane of lanes) checkAll(capacityInvariants, { capacity: 1, running: ran.get(lane) ?? [] });
      await context.until(
        () => server.inFlight === 0,
        () => `in flight ${server.inFlight}`,
      );
      // All three slots are there: these wait for each other.
      const last = lanes.map((priority) => start(sink, `${priority}-last`, { priority }));
      await context.until(
        () => running.size === 3,
        () => `a call in each lane; ${own.calls}`,
      );
      gate.open();
      for (const stream of last) await readWell(context, stream);
    },
  },
  {
    id: "R-98",
    sentence:
      "a call that lets go of its place in the queue keeps its slot: prefetch is capacity less the calls without a delivery",
    async run(context) {
      const held = await holding(context, "settled-early", {
        concurrency: ONE_EACH,
        settleAfterMs: 100,
        keepAliveMs: keepAliveMs(context),
      });
      const calls = numbered("c", 3).map((body) => start(held.sink, body));
      await held.service.calls.count(1);
      await context.window(context.unhurried(400), "the first call has let go by then");
      assert.equal(held.service.calls.items.length, 1, "a second call runs beside it");
      // Nor does it keep what it cannot run.
      const other = service(context, echo);
      await context.serve(await context.node(), held.name, other, { concurrency: ONE_EACH });
      await other.calls.count(2);
      held.release();
      assert.deepEqual(
        (await Promise.all(calls.map((call) => readWell(context, call)))).flat().sort(),
        numbered("c", 3),
      );
      checkAll(capacityInvariants, held.ledger);
    },
  },
  {
    id: "R-106",
    sentence: "a handler that does not notice that its call is over is told to observers as abandoned",
    async run(context) {
      const gate = context.gate();
      const {
        node,
        sink,
        service: own,
      } = await open(context, "abandoned", () => gate.wait(), {
        serve: { keepAliveMs: keepAliveMs(context) },
      });
      const stream = start(sink, "request", {}, { callId: "call-1" });
      await own.calls.count(1);
      stream.abort();
      const told = await node.observed.find((item) => item.type === "call-abandoned", "call-abandoned");
      assert.equal(told.type === "call-abandoned" ? told.callId : "", "call-1");
    },
  },
];
