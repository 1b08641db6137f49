import assert from "node:assert";
import { FRAME, FRAME_HEADER } from "../../driver/index.js";
import { call, MessagingError } from "../../index.js";
import type { ContractCase } from "../case.js";
import { aborted } from "../queue/steps.js";
import { bytes, numbered, text } from "../text.js";
import { checkAll, type FlowLedger, flowInvariants } from "./invariants.js";
import {
  echo,
  fails,
  goesOn,
  KEEP_ALIVE_MS,
  LONG_MS,
  next,
  open,
  readFailure,
  readWell,
  request,
  respond,
  type ServedCall,
  service,
  start,
  streaming,
} from "./steps.js";
import { tappedNode } from "./tapped-node.js";
import { firstSignal, numberOf, wireClient, wireServer } from "./wire-peers.js";

/** A service that offers as many as it may, each time that it may. */
function offering(count: number, body: (index: number) => Uint8Array = () => bytes("x")) {
  const offered: boolean[] = [];
  const work = async ({ context: caller }: ServedCall): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      offered.push(false);
      if (!(await caller.respond({ body: body(index) }))) return;
      offered[index] = true;
    }
    caller.end();
  };
  return { offered, work };
}

/** The window: what a server may send before its reader has taken it. */
export const flowCases: readonly ContractCase[] = [
  {
    id: "R-50",
    sentence:
      "a server is never more than the window ahead of its reader; respond waits, and goes on as responses are taken",
    async run(context) {
      const { offered, work } = offering(60);
      const { sink } = await open(context, "window", work);
      const stream = start(sink, "request", { window: 8 });
      const ledger: FlowLedger = { window: 8, outstanding: [], sent: 0, taken: 0 };
      for (let taken = 0; taken < 60; taken += 4) {
        const expected = Math.min(60, taken + 8);
        await context.until(
          () => offered.length === expected,
          () => `${expected} offered with ${taken} taken and a window of 8; there are ${offered.length}`,
        );
        if (taken % 12 === 0) await context.window(40, "a server that overruns its window has done so by then");
        ledger.outstanding.push(offered.length - taken);
        ledger.sent = offered.length;
        ledger.taken += (await next(context, stream, 4)).length;
      }
      checkAll(flowInvariants, ledger);
      assert.equal(Math.max(...ledger.outstanding), 8, "the window is not used up");
      assert.deepEqual(await readWell(context, stream), []);
    },
  },
  {
    id: "R-51",
    sentence: "the window counts bytes too: a server stops when they are used up, and goes on as they are taken",
    async run(context) {
      const { offered, work } = offering(40, () => new Uint8Array(4_000));
      const { sink } = await open(context, "window-bytes", work);
      const stream = start(sink, "request", { window: 100, windowBytes: 20_000 });
      await context.until(
        () => offered.length >= 5,
        () => `five offered; there are ${offered.length}`,
      );
      await context.window(100, "a server that minds no bytes has offered all by then");
      assert.ok(offered.length <= 6, `${offered.length} responses of 4,000 bytes in a window of 20,000`);
      assert.equal((await readWell(context, stream)).length, 40);
    },
  },
  {
    id: "R-52",
    sentence: "a response larger than the window in bytes is allowed, alone",
    async run(context) {
      const { offered, work } = offering(6, () => new Uint8Array(30_000));
      const { sink } = await open(context, "large-in-window", work);
      const stream = start(sink, "request", { windowBytes: 1_000 });
      await context.until(
        () => offered.length === 1,
        () => "the first to be offered",
      );
      await context.window(100, "a second would have been offered by then");
      assert.ok(offered.length <= 2, `${offered.length} responses of 30,000 bytes in a window of 1,000`);
      assert.equal((await readWell(context, stream)).length, 6);
    },
  },
  {
    id: "R-53",
    sentence: "with a window of one, and with the default, thousands of responses reach a reader",
    async run(context) {
      const { sink } = await open(context, "thousands", (served) => streaming(Number(served.text))(served, 0));
      const small = await readWell(context, start(sink, "120", { window: 1 }), context.recoveryMs);
      assert.deepEqual(small, numbered("r", 120));
      const large = await readWell(context, start(sink, "3000"), context.recoveryMs);
      assert.deepEqual(large, numbered("r", 3_000));
    },
  },
  {
    id: "R-54",
    sentence: "credit is not starved: when every slot runs a call that waits for it, each stream finishes",
    async run(context) {
      const { sink, service: own } = await open(context, "starved", streaming(120), {
        serve: { concurrency: { expedite: 4, standard: 4, bulk: 4 } },
      });
      const streams = (["expedite", "standard", "bulk"] as const).flatMap((priority) =>
        Array.from({ length: 4 }, () => start(sink, priority, { priority, window: 5 })),
      );
      await own.calls.count(12);
      const read = await Promise.all(streams.map((stream) => readWell(context, stream, context.recoveryMs)));
      for (const texts of read) assert.deepEqual(texts, numbered("r", 120));
    },
  },
  {
    id: "R-55",
    sentence:
      "responds that are not awaited wait in order, at most a window's worth; one more rejects with REJECTED and fails the call",
    async run(context) {
      const outcomes: string[] = [];
      const { sink } = await open(context, "not-awaited", async ({ context: caller }) => {
        const responds = Array.from({ length: 30 }, (_, index) =>
          caller.respond({ body: bytes(`r-${index}`) }).then(
            (goesOn) => outcomes.push(String(goesOn)),
            (error: unknown) => outcomes.push(MessagingError.is(error) ? error.code : String(error)),
          ),
        );
        await Promise.all(responds);
        caller.end();
      });
      const stream = start(sink, "request", { window: 5 });
      await context.until(
        () => outcomes.includes("REJECTED"),
        () => `a refusal; ${outcomes.join(" ")}`,
      );
      const { texts } = await readFailure(context, stream, "REJECTED");
      assert.deepEqual(texts, numbered("r", texts.length), "in order, without a gap");
      assert.ok(texts.length >= 9 && texts.length <= 11, `${texts.length} were taken in with a window of 5`);
      assert.equal(outcomes.filter((outcome) => outcome === "REJECTED").length, 1, "the others: the call is over");
    },
  },
  {
    id: "R-56",
    sentence: "the end, an error and keepAlive need no credit",
    async run(context) {
      const { sink } = await open(context, "no-credit", async (served) => {
        const { context: caller } = served;
        void caller.respond({ body: bytes("one") });
        if (!caller.keepAlive(5_000)) throw new Error("keepAlive says that the call is over");
        if (served.text === "fail") caller.fail(new MessagingError("NOT_FOUND", "no more"));
        else caller.end();
      });
      const ended = start(sink, "end", { window: 1 });
      await context.soon(ended.ended, "the end, with nothing taken");
      assert.deepEqual(await readWell(context, ended), ["one"]);
      const failed = start(sink, "fail", { window: 1 });
      await fails(context, failed, "NOT_FOUND");
      assert.deepEqual((await readFailure(context, failed, "NOT_FOUND")).texts, ["one"]);
    },
  },
  {
    id: "R-57",
    sentence: "end after responds that still wait for credit delivers them first",
    async run(context) {
      const { sink } = await open(context, "end-after", async ({ context: caller }) => {
        for (const body of ["one", "two", "three"]) void caller.respond({ body: bytes(body) });
        caller.end();
      });
      assert.deepEqual(await readWell(context, start(sink, "request", { window: 2 })), ["one", "two", "three"]);
    },
  },
  {
    id: "R-58",
    sentence: "a slow reader gets everything, and the server holds no more than the window for it",
    async run(context) {
      let ahead = 0;
      let offered = 0;
      let taken = 0;
      const { sink } = await open(context, "slow-reader", async ({ context: caller }) => {
        for (let index = 0; index < 150; index += 1) {
          offered += 1;
          ahead = Math.max(ahead, offered - taken);
          if (!(await caller.respond({ body: bytes(String(index)) }))) return;
        }
        caller.end();
      });
      const seen: string[] = [];
      for await (const { body } of start(sink, "request", { window: 10 })) {
        seen.push(text(body));
        taken += 1;
        if (taken % 10 === 0) await context.window(5, "the reader works");
      }
      assert.equal(seen.length, 150);
      // One more than the window: a response is counted as offered before respond is called.
      assert.ok(ahead <= 11, `the server was ${ahead} ahead with a window of 10`);
    },
  },
  {
    id: "R-49",
    sentence: "an endless stream and a reader who never pauses keep nobody else from being served",
    async run(context) {
      const { sink } = await open(context, "endless", async (served) => {
        if (served.text !== "endless") return echo(served, 0);
        for (let index = 0; await respond(served, String(index)); index += 1);
      });
      const stream = start(sink, "endless");
      let taken = 0;
      const reading = (async () => {
        for await (const _ of stream) taken += 1;
      })();
      reading.catch(() => undefined);
      await context.until(
        () => taken > 1_000,
        () => `a thousand responses; ${taken} were taken`,
      );
      for (const body of ["one", "two", "three"]) assert.deepEqual(await readWell(context, start(sink, body)), [body]);
      stream.abort();
      await context.refused(() => reading, "ABORTED", "reading");
    },
  },
  {
    id: "R-59",
    sentence: "credit travels in batches, not with each response",
    needs: ["frames"],
    async run(context) {
      const name = context.name("batched-credit");
      await context.serve(await context.node(), name, service(context, streaming(1_000)));
      const client = tappedNode(context);
      const texts = await readWell(context, start(client.messaging.requestSink(name), "request", { window: 100 }));
      assert.equal(texts.length, 1_000);
      const credits = client.published.items.filter(({ message }) => message.type === FRAME.credit).length;
      assert.ok(credits > 0 && credits <= 250, `${credits} credits for 1,000 responses with a window of 100`);
    },
  },
  {
    id: "R-60",
    sentence: "credit is absolute: repeated and reordered it neither widens nor narrows the window",
    needs: ["frames"],
    async run(context) {
      const name = context.name("absolute-credit");
      const node = await context.node();
      await context.serve(node, name, service(context, streaming(50)));
      const client = await wireClient(context, name);
      const id = await client.signal("request", { headers: { [FRAME_HEADER.window]: "4" } });
      const responses = () => client.all(FRAME.response).length;
      await context.until(
        () => responses() === 4,
        () => `the window's four; ${client.frames}`,
      );
      const credit = (consumed: number, grantedUpTo: number) =>
        client.tell(
          FRAME.credit,
          id,
          { [FRAME_HEADER.consumed]: String(consumed), [FRAME_HEADER.grantedUpTo]: String(grantedUpTo) },
          node.messaging.nodeId,
        );
      for (const [consumed, granted] of [
        [2, 6],
        [2, 6],
        [3, 7],
        [2, 6],
        [0, 4],
        [3, 7],
      ] as const) {
        await credit(consumed, granted);
      }
      await context.until(
        () => responses() >= 7,
        () => `seven; ${client.frames}`,
      );
      await context.window(100, "an eighth would have come by then");
      assert.equal(responses(), 7);
      await credit(50, 54);
      await context.window(50, "a server that believes it has gone on by then");
      assert.equal(responses(), 7, "a Consumed beyond what was sent was believed");
      await credit(7, 60);
      await context.until(
        () => client.all(FRAME.end).length === 1,
        () => `the end; ${client.frames}`,
      );
      assert.deepEqual(
        client.all(FRAME.response).map((frame) => text(frame.body)),
        numbered("r", 50),
      );
    },
  },
  {
    id: "R-61",
    sentence: "a grant beyond all bounds lets the server send 2,048 responses more than were taken, and no more",
    needs: ["frames"],
    async run(context) {
      const name = context.name("clamped-credit");
      const node = await context.node();
      await context.serve(node, name, service(context, streaming(3_000)));
      const client = await wireClient(context, name);
      const id = await client.signal("request", { headers: { [FRAME_HEADER.window]: "10" } });
      const responses = () => client.all(FRAME.response).length;
      await context.until(
        () => responses() === 10,
        () => "the window's ten",
      );
      const headers = { [FRAME_HEADER.consumed]: "0", [FRAME_HEADER.grantedUpTo]: "9007199254740991" };
      await client.tell(FRAME.credit, id, headers, node.messaging.nodeId);
      await context.until(
        () => responses() >= 2_048,
        () => `2,048; ${responses()} came`,
      );
      await context.window(100, "the others would have come by then");
      assert.equal(responses(), 2_048);
    },
  },
  {
    id: "R-62",
    sentence: "a credit that is lost heals: the server says that it waits, and is granted again",
    needs: ["frames"],
    async run(context) {
      const name = context.name("lost-credit");
      await context.serve(await context.node(), name, service(context, streaming(40)), { keepAliveMs: KEEP_ALIVE_MS });
      let lost = 0;
      const client = tappedNode(context, {
        onPublish(message) {
          if (message.type !== FRAME.credit || lost >= 2) return [message];
          lost += 1;
          return [];
        },
      });
      const texts = await readWell(context, start(client.messaging.requestSink(name), "request", { window: 4 }));
      assert.deepEqual(texts, numbered("r", 40));
      assert.equal(lost, 2, "no credit was sent that could be lost");
    },
  },
  {
    id: "R-63",
    sentence: "credit goes to the node that runs the call, and to no other",
    needs: ["frames"],
    async run(context) {
      const name = context.name("credit-node");
      const one = await wireServer(context, name);
      const two = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const stream = start(sink, "request", { window: 2 });
      await context.until(
        () => one.signals.items.length + two.signals.items.length === 1,
        () => "the request to arrive",
      );
      const [busy, idle] = one.signals.items.length === 1 ? [one, two] : [two, one];
      const signal = await firstSignal(busy);
      await busy.respond(signal, 1, "one");
      await busy.respond(signal, 2, "two");
      await next(context, stream, 2);
      await busy.heard.until((items) => items.some((frame) => frame.type === FRAME.credit), "credit");
      assert.equal(idle.heard.items.filter((frame) => frame.type === FRAME.credit).length, 0, `${idle.heard}`);
      await busy.finish(signal, 2);
      await readWell(context, stream);
    },
  },
  {
    id: "R-64",
    sentence: "a credit names the highest response that was taken, and grants a window beyond it",
    needs: ["frames"],
    async run(context) {
      const name = context.name("credit-says");
      const server = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const stream = start(sink, "request", { window: 4 });
      const signal = await firstSignal(server);
      assert.equal(numberOf(signal, FRAME_HEADER.window), 4);
      for (const sequence of [1, 2, 3, 4]) await server.respond(signal, sequence, `r-${sequence}`);
      for (const taken of [2, 4]) {
        await next(context, stream, 2);
        await server.heard.until(
          (items) => items.some((frame) => numberOf(frame, FRAME_HEADER.consumed) === taken),
          `a credit that says ${taken}`,
        );
      }
      for (const frame of server.heard.items) {
        assert.equal(frame.type, FRAME.credit);
        assert.equal(frame.correlationId, signal.correlationId);
        assert.equal(numberOf(frame, FRAME_HEADER.grantedUpTo), numberOf(frame, FRAME_HEADER.consumed) + 4);
      }
      await server.finish(signal, 4);
      await readWell(context, stream);
    },
  },
  {
    id: "R-65",
    sentence: "a server that sends beyond its grant fails that call with REJECTED and is told to stop; others go on",
    needs: ["frames"],
    async run(context) {
      const name = context.name("overrun");
      const server = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const stream = start(sink, "request", { window: 3 });
      const signal = await firstSignal(server);
      const other = start(sink, "other", { window: 3 });
      const otherSignal = await firstSignal(server, 1);
      for (const sequence of [1, 2, 3, 4]) await server.respond(signal, sequence, `r-${sequence}`);
      await fails(context, stream, "REJECTED");
      const { texts } = await readFailure(context, stream, "REJECTED");
      assert.deepEqual(texts, ["r-1", "r-2", "r-3"]);
      await server.heard.until(
        (items) => items.some((frame) => frame.type === FRAME.abort && frame.correlationId === signal.correlationId),
        "an abort",
      );
      await server.respond(otherSignal, 1, "well");
      await server.finish(otherSignal, 1);
      assert.deepEqual(await readWell(context, other), ["well"]);
    },
  },
  {
    id: "R-66",
    sentence: "unread responses hold up the deadline of a call, for stallMs from each one taken, and then it runs on",
    async run(context) {
      const { sink } = await open(
        context,
        "stall",
        async (served) => {
          await respond(served, ...numbered("r", 10));
          await aborted(served.context.signal);
        },
        { serve: { respondExtendsMs: 1, stallMs: LONG_MS } },
      );
      const options = { timeoutMs: 400, stallMs: 500, window: 2, allowKeepAlive: false };
      const stream = call(sink, request(), options);
      await next(context, stream, 1);
      await context.window(450, "longer than the timeout, shorter than the stall");
      assert.equal((await next(context, stream, 1)).length, 1, "the call went on while responses waited");
      const started = performance.now();
      await fails(context, stream, "TIMEOUT");
      assert.ok(performance.now() - started >= 300, "the deadline did not stand still");
      await readFailure(context, stream, "TIMEOUT");
    },
  },
  {
    id: "R-67",
    sentence: "a server that waits for credit longer than its stallMs lets the deadline run on, and frees the slot",
    async run(context) {
      const {
        sink,
        server,
        service: own,
      } = await open(context, "server-stall", streaming(10), {
        serve: { stallMs: 200, respondExtendsMs: 1 },
      });
      const stream = call(sink, request(), { timeoutMs: 300, window: 2, stallMs: LONG_MS, allowKeepAlive: false });
      const { context: caller } = await own.calls.at(0);
      await context.until(
        () => caller.signal.aborted && server.inFlight === 0,
        () => `the server to give the call up; in flight ${server.inFlight}`,
      );
      await fails(context, stream, "TIMEOUT");
      const { texts } = await readFailure(context, stream, "TIMEOUT");
      assert.deepEqual(texts, ["r-0", "r-1"]);
      await goesOn(context, sink);
    },
  },
  {
    id: "R-68",
    sentence: "what is taken after the end costs nothing: no credit is sent for a call that is over",
    needs: ["frames"],
    async run(context) {
      const name = context.name("credit-after");
      await context.serve(await context.node(), name, service(context, streaming(50)));
      const client = tappedNode(context);
      const stream = start(client.messaging.requestSink(name), "request", { window: 60 });
      await context.soon(stream.ended, "ended");
      await readWell(context, stream);
      const credits = client.published.items.filter(({ message }) => message.type === FRAME.credit);
      assert.equal(credits.length, 0, `${client.published}`);
    },
  },
];
