import assert from "node:assert";
import { MessagingError } from "../../index.js";
import type { ContractCase } from "../case.js";
import { bytes, numbered, text } from "../text.js";
import { checkAll, type FlowLedger, flowInvariants } from "./invariants.js";
import { echo, fails, next, open, readFailure, readWell, respond, type ServedCall, start, streaming } from "./steps.js";

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

/** How far a server may be ahead of its reader. */
export const windowCases: readonly ContractCase[] = [
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
];
