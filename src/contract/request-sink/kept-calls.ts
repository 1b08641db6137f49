import assert from "node:assert";
import { FRAME, FRAME_HEADER, type WireMessage } from "../../driver/index.js";
import { MessagingError } from "../../index.js";
import type { ContractCase } from "../case.js";
import { Stopwatch } from "../stopwatch.js";
import { text } from "../text.js";
import { codeOf, last, opened, textsOf } from "./resume-steps.js";
import { keepAliveMs, respond, type ServedCall, streaming, told, type Work } from "./steps.js";

/** Responds once, waits for the gate, and goes on until the caller's end is over. */
function halting(gate: { wait(): Promise<void> }, outcome: { goesOn?: boolean; extends?: boolean }): Work {
  return async (served: ServedCall) => {
    await respond(served, "one");
    await gate.wait();
    // Until the caller's end is over.
    while (await respond(served, "more")) await new Promise((resolve) => setTimeout(resolve, 10));
    outcome.goesOn = false;
    outcome.extends = served.context.keepAlive(1_000);
  };
}

/** How long a server keeps calls whose caller has no inbox, and calls that have ended. */
export const keptCallCases: readonly ContractCase[] = [
  {
    id: "R-224",
    sentence:
      "a caller that stays without an inbox for resumeMs is given up: its service is told, and nothing is kept of it",
    needs: ["frames"],
    async run(context) {
      const gate = context.gate();
      const outcome: { goesOn?: boolean; extends?: boolean } = {};
      const options = { resumeMs: 300 };
      const { client, node, service: own } = await opened(context, "given-up", halting(gate, outcome), options);
      const call = await client.signal("request");
      await client.frames.until((frames) => textsOf(frames).length === 1, "the first");
      await client.closeInbox();
      const watch = new Stopwatch();
      gate.open();
      const reason = await told(context, await own.calls.at(0));
      const { ms, undisturbedMs } = watch;
      assert.ok(MessagingError.is(reason, "UNAVAILABLE"), String(reason));
      assert.ok(ms >= 290 && undisturbedMs < 300 + context.recoveryMs / 4, `told after ${Math.round(ms)} ms`);
      await context.until(
        () => outcome.extends !== undefined,
        () => "`respond` to resolve",
      );
      assert.deepEqual(outcome, { goesOn: false, extends: false });
      await client.openInbox();
      await client.resume(call, node, { counter: 1, received: 1 });
      assert.equal(codeOf(await last(client, call)), "DATA_LOSS");
    },
  },
  {
    id: "R-225",
    sentence: "the deadline of a call whose caller has no inbox ends it all the same",
    needs: ["frames"],
    async run(context) {
      const gate = context.gate();
      const outcome: { goesOn?: boolean; extends?: boolean } = {};
      const { client, service: own } = await opened(context, "deadline", halting(gate, outcome));
      await client.signal("request", {
        headers: { [FRAME_HEADER.timeoutMs]: "400", [FRAME_HEADER.allowKeepAlive]: "false" },
      });
      await client.frames.until((frames) => textsOf(frames).length === 1, "the first");
      await client.closeInbox();
      const served = await own.calls.at(0);
      const watch = new Stopwatch();
      gate.open();
      const reason = await told(context, served);
      const { undisturbedMs: ms } = watch;
      assert.ok(MessagingError.is(reason, "TIMEOUT"), String(reason));
      assert.ok(ms < 400 + context.recoveryMs / 4, `told after ${Math.round(ms)} ms`);
    },
  },
  {
    id: "R-226",
    sentence: "a call that has ended is kept for resumeMs, its responses and its end, and not for longer",
    needs: ["frames"],
    async run(context) {
      // Longer than a machine stands still.
      const resumeMs = 2_500;
      const { client, node, service: own } = await opened(context, "ended", streaming(3), { resumeMs });
      const call = await client.signal("request");
      await last(client, call);
      const start = client.frames.items.length;
      await client.openInbox();
      await client.resume(call, node, { counter: 1, received: 1 });
      const end = await last(client, call, start);
      assert.equal(end.type, FRAME.end);
      assert.deepEqual(textsOf(client.frames.items.slice(start)), ["r-1", "r-2"]);
      await context.window(resumeMs + 200, "resumeMs is over by then");
      const later = client.frames.items.length;
      await client.resume(call, node, { counter: 2, received: 1 });
      assert.equal(codeOf(await last(client, call, later)), "DATA_LOSS");
      assert.equal(own.calls.items.length, 1);
    },
  },
  {
    id: "R-227",
    sentence:
      "an ended call is named as over in each Alive until its caller says that it has the end; then nothing is kept",
    needs: ["frames"],
    async run(context) {
      const options = { keepAliveMs: keepAliveMs(context) };
      const { client, node } = await opened(context, "closing", streaming(3), options);
      const call = await client.signal("request");
      await last(client, call);
      const isNamed = (frame: WireMessage): boolean => frame.type === FRAME.alive && text(frame.body).includes(call);
      const alive = await client.frames.find(isNamed, "an Alive that names the call");
      const { calls } = JSON.parse(text(alive.body)) as { calls: unknown[][] };
      assert.deepEqual(
        calls.filter(([id]) => id === call),
        [[call, 3, false, true]],
      );
      await client.closing([call], node);
      const start = client.frames.items.length;
      await client.resume(call, node, { counter: 1, received: 0 });
      assert.equal(codeOf(await last(client, call, start)), "DATA_LOSS");
      const later = client.frames.items.length;
      await context.window(2 * keepAliveMs(context) + 50, "two intervals");
      assert.equal(client.frames.items.slice(later).filter(isNamed).length, 0, "it is named still");
    },
  },
  {
    id: "R-229",
    sentence: "with a resumeMs of 0 a call ends with its caller's inbox, and its end is not kept",
    needs: ["frames"],
    async run(context) {
      const gate = context.gate();
      const outcome: { goesOn?: boolean; extends?: boolean } = {};
      const options = { resumeMs: 0 };
      const { client, node, service: own } = await opened(context, "at-once", halting(gate, outcome), options);
      const call = await client.signal("request");
      await client.frames.until((frames) => textsOf(frames).length === 1, "the first");
      await client.closeInbox();
      const watch = new Stopwatch();
      gate.open();
      await told(context, await own.calls.at(0));
      assert.ok(watch.undisturbedMs < context.recoveryMs / 4);
      await client.openInbox();
      await client.resume(call, node, { counter: 1, received: 1 });
      assert.equal(codeOf(await last(client, call)), "DATA_LOSS");
    },
  },
];
