import assert from "node:assert";
import { FRAME, FRAME_HEADER } from "../../driver/index.js";
import { MessagingError, type Priority, type ServeOptions } from "../../index.js";
import type { ContractCase } from "../case.js";
import type { ContractContext } from "../context.js";
import { aborted } from "../queue/steps.js";
import { numbered } from "../text.js";
import { type CapacityLedger, capacityInvariants, checkAll } from "./invariants.js";
import {
  echo,
  goesOn,
  KEEP_ALIVE_MS,
  LONG_MS,
  next,
  ONE_EACH,
  type Opened,
  open,
  read,
  readWell,
  respond,
  type ServedCall,
  service,
  start,
} from "./steps.js";
import { firstSignal, wireClient, wireServer } from "./wire-peers.js";

interface Held extends Opened {
  readonly running: Map<Priority, number>;
  /** How many ran, each time that one started. */
  readonly ledger: CapacityLedger;
  release(): void;
}

/** A server whose calls run until they are released. */
async function holding(
  context: ContractContext,
  purpose: string,
  serve: ServeOptions<Uint8Array, Uint8Array>,
): Promise<Held> {
  const gate = context.gate();
  const running = new Map<Priority, number>();
  const seen: number[] = [];
  const count = (lane: Priority, change: number): void => {
    running.set(lane, (running.get(lane) ?? 0) + change);
    seen.push([...running.values()].reduce((sum, one) => sum + one, 0));
  };
  const opened = await open(
    context,
    purpose,
    async (served: ServedCall) => {
      const lane = served.request.priority ?? "standard";
      count(lane, 1);
      await gate.wait();
      count(lane, -1);
      await echo(served, 0);
    },
    { serve },
  );
  const { expedite = 2, standard = 5, bulk = 5 } = serve.concurrency ?? {};
  return {
    ...opened,
    running,
    ledger: { capacity: expedite + standard + bulk, running: seen },
    release: () => gate.open(),
  };
}

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
    id: "R-106",
    sentence: "a handler that does not notice that its call is over is told to observers as abandoned",
    async run(context) {
      const gate = context.gate();
      const {
        node,
        sink,
        service: own,
      } = await open(context, "abandoned", () => gate.wait(), {
        serve: { keepAliveMs: KEEP_ALIVE_MS },
      });
      const stream = start(sink, "request", {}, { callId: "call-1" });
      await own.calls.count(1);
      stream.abort();
      const told = await node.observed.find((item) => item.type === "call-abandoned", "call-abandoned");
      assert.equal(told.type === "call-abandoned" ? told.callId : "", "call-1");
    },
  },
  {
    id: "R-107",
    sentence: "only a slot that was free for a second is lent",
    async run(context) {
      const gate = context.gate();
      const { sink, service: own } = await open(
        context,
        "free-for-a-second",
        async (served) => {
          if (served.text.startsWith("s")) await gate.wait();
          else await context.window(100, "the service works");
          await echo(served, 0);
        },
        { serve: { concurrency: { expedite: 1, standard: 1, bulk: 2 } } },
      );
      const bulk = ["b1", "b2"].map((body) => start(sink, body, { priority: "bulk" }));
      await own.calls.count(2);
      const standard = ["s1", "s2"].map((body) => start(sink, body));
      await Promise.all(bulk.map((call) => readWell(context, call)));
      const freeAt = performance.now();
      const last = await own.calls.at(3, 1_500);
      assert.ok(last.at - freeAt >= 900, `lent ${Math.round(last.at - freeAt)} ms after it became free`);
      gate.open();
      await Promise.all(standard.map((call) => readWell(context, call)));
    },
  },
  {
    id: "R-97",
    sentence:
      "hundreds of short calls in all lanes, with aborts among them, never exceed the slots and leave none taken",
    async run(context) {
      const running: number[] = [];
      let now = 0;
      const { sink, server } = await open(
        context,
        "mixed",
        async (served) => {
          now += 1;
          running.push(now);
          await new Promise((resolve) => setImmediate(resolve));
          await respond(served, "one");
          now -= 1;
          served.context.end();
        },
        { serve: { concurrency: { expedite: 2, standard: 2, bulk: 2 } } },
      );
      const lanes = ["bulk", "standard", "expedite"] as const;
      const calls = numbered("c", 300).map(async (body, index) => {
        const stream = start(sink, body, { priority: lanes[index % 3] ?? "standard" });
        if (index % 10 !== 9) return readWell(context, stream, context.recoveryMs);
        stream.abort();
        return ["one"];
      });
      for (const texts of await Promise.all(calls)) assert.deepEqual(texts, ["one"]);
      checkAll(capacityInvariants, { capacity: 6, running });
      await context.until(
        () => server.inFlight === 0,
        () => `in flight ${server.inFlight}`,
      );
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
        keepAliveMs: 100,
      });
      const calls = numbered("c", 3).map((body) => start(held.sink, body));
      await held.service.calls.count(1);
      await context.window(400, "the first call has let go by then");
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
    id: "R-99",
    sentence: "a request that comes again, after the node that took it died, is answered with UNAVAILABLE and not run",
    needs: ["frames"],
    async run(context) {
      const name = context.name("redelivered");
      const dying = await wireServer(context, name, { settles: false });
      const sink = await context.sink(name);
      const stream = start(sink);
      await firstSignal(dying);
      const own = service(context, echo);
      await context.serve(await context.node(), name, own);
      await context.soon(dying.connection.close(), "close of the dying node's link");
      const { error } = await read(context, stream);
      assert.ok(MessagingError.is(error, "UNAVAILABLE"), String(error));
      await goesOn(context, sink);
      assert.deepEqual(
        own.calls.items.map((served) => served.text),
        ["still there?"],
      );
    },
  },
  {
    id: "R-100",
    sentence: "an idempotent request that comes again is run again",
    needs: ["frames"],
    async run(context) {
      const name = context.name("redelivered-idempotent");
      const dying = await wireServer(context, name, { settles: false });
      const sink = await context.sink(name);
      const stream = start(sink, "again", { idempotent: true });
      await firstSignal(dying);
      const own = service(context, echo);
      await context.serve(await context.node(), name, own);
      await context.soon(dying.connection.close(), "close of the dying node's link");
      assert.deepEqual(await readWell(context, stream), ["again"]);
    },
  },
  {
    id: "R-101",
    sentence: "a one-way request that comes again is dropped and told to observers, unless it is idempotent",
    needs: ["frames"],
    async run(context) {
      const name = context.name("redelivered-one-way");
      const dying = await wireServer(context, name, { settles: false });
      const client = await wireClient(context, name);
      for (const [body, idempotent] of [
        ["once", undefined],
        ["again", "true"],
      ] as const) {
        const headers = { [FRAME_HEADER.window]: "0", [FRAME_HEADER.idempotent]: idempotent };
        await client.signal(body, { replyTo: "", headers });
      }
      await dying.signals.count(2);
      const own = service(context, echo);
      const node = await context.node();
      await context.serve(node, name, own);
      await context.soon(dying.connection.close(), "close of the dying node's link");
      await node.observed.find((item) => item.type === "discarded", "an observation of what was dropped");
      assert.equal((await own.calls.at(0)).text, "again");
      await goesOn(context, await context.sink(name));
      assert.equal(own.calls.items.length, 2);
    },
  },
  {
    id: "R-108",
    sentence:
      "responses of two runs are never read as one: a node that starts an answered call anew fails it with UNAVAILABLE",
    needs: ["frames"],
    async run(context) {
      const name = context.name("two-runs");
      const server = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const stream = start(sink, "request", { idempotent: true });
      const signal = await firstSignal(server);
      const say = (run: string, sequence: number) =>
        server.send(signal, {
          type: FRAME.response,
          headers: { [FRAME_HEADER.run]: run, [FRAME_HEADER.sequence]: String(sequence) },
          body: `${run}-${sequence}`,
        });
      await say("first", 1);
      await say("first", 2);
      await say("second", 3);
      const { error, texts } = await read(context, stream);
      assert.ok(MessagingError.is(error, "UNAVAILABLE"), String(error));
      assert.deepEqual(texts, ["first-1", "first-2"]);
    },
  },
  {
    id: "R-102",
    sentence: "a caller heeds no refusal from a node other than the one that named its call",
    needs: ["frames"],
    async run(context) {
      const name = context.name("foreign-refusal");
      const one = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const stream = start(sink);
      const signal = await firstSignal(one);
      const two = await wireServer(context, context.name("elsewhere"));
      await one.alive(signal, LONG_MS, [signal.correlationId ?? "", 0, false]);
      await context.window(50, "the Alive has come by then");
      await two.fail(signal, "UNAVAILABLE", { [FRAME_HEADER.refused]: "true" });
      await context.window(100, "the refusal has come by then");
      await one.respond(signal, 1, "one");
      await one.finish(signal, 1);
      assert.deepEqual(await readWell(context, stream), ["one"]);
    },
  },
  {
    id: "R-103",
    sentence:
      "a call is bound to the node of its first response: frames of another are answered with Abort and not read",
    needs: ["frames"],
    async run(context) {
      const name = context.name("bound");
      const one = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const stream = start(sink);
      const signal = await firstSignal(one);
      const two = await wireServer(context, name);
      await one.respond(signal, 1, "one");
      await next(context, stream, 1);
      await two.respond(signal, 2, "foreign");
      await two.finish(signal, 2);
      await two.heard.until(
        (items) => items.some((frame) => frame.type === FRAME.abort && frame.correlationId === signal.correlationId),
        "an abort",
      );
      await one.respond(signal, 2, "two");
      await one.finish(signal, 2);
      assert.deepEqual(await readWell(context, stream), ["two"]);
      assert.equal(one.heard.items.filter((frame) => frame.type === FRAME.abort).length, 0, `${one.heard}`);
    },
  },
];
