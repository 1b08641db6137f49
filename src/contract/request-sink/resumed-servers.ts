import assert from "node:assert";
import { FRAME, FRAME_HEADER, type WireMessage } from "../../driver/index.js";
import type { ContractCase } from "../case.js";
import { numbered } from "../text.js";
import { codeOf, last, opened, textsOf } from "./resume-steps.js";
import { inTwoParts, respond, streaming } from "./steps.js";
import { numberOf } from "./wire-peers.js";

/** What a server answers to callers that come back, and does while they have no inbox. */
export const resumedServerCases: readonly ContractCase[] = [
  {
    id: "R-220",
    sentence:
      "a Resume for a call that the server does not know is answered with DATA_LOSS, in the inbox that it names",
    needs: ["frames"],
    async run(context) {
      const { client, node, service: own } = await opened(context, "unknown", streaming(3));
      const before = client.inbox;
      await client.openInbox();
      await client.resume("nobody's", node, { counter: 7, received: 2 });
      const error = await last(client, "nobody's");
      assert.equal(error.type, FRAME.error);
      assert.equal(codeOf(error), "DATA_LOSS");
      assert.equal(numberOf(error, FRAME_HEADER.resume), 7);
      assert.notEqual(before, client.inbox);
      assert.equal(own.calls.items.length, 0);
    },
  },
  {
    id: "R-221",
    sentence:
      "a Resume is answered first by a frame with its number, then by what was sent after what has come; all that follows has the number",
    needs: ["frames"],
    async run(context) {
      const gate = context.gate();
      const { client, node } = await opened(context, "answers", inTwoParts(gate, numbered("a", 4), numbered("b", 2)));
      const call = await client.signal("request");
      await client.frames.until((frames) => textsOf(frames).length === 4, "the first four");
      const start = client.frames.items.length;
      await client.openInbox();
      await client.resume(call, node, { counter: 1, received: 1 });
      await client.frames.until((frames) => textsOf(frames.slice(start)).length === 3, "three again");
      gate.open();
      await last(client, call);
      const frames = client.frames.items.slice(start);
      assert.ok(frames[0]?.type === FRAME.keepAlive, `the first answer is a ${frames[0]?.type}`);
      assert.deepEqual(textsOf(frames), ["a-1", "a-2", "a-3", "b-0", "b-1"]);
      for (const frame of frames) assert.equal(numberOf(frame, FRAME_HEADER.resume), 1, `${frame.type}`);
      const sequences = frames.flatMap((frame) =>
        frame.type === FRAME.response ? [numberOf(frame, FRAME_HEADER.sequence)] : [],
      );
      assert.deepEqual(sequences, [2, 3, 4, 5, 6]);
      assert.equal(numberOf(frames.at(-1), FRAME_HEADER.totalResponses), 6);
    },
  },
  {
    id: "R-222",
    sentence: "a Resume with a lower number than one that was heard is ignored, and so is one from another client",
    needs: ["frames"],
    async run(context) {
      const gate = context.gate();
      const { client, node } = await opened(context, "lower", inTwoParts(gate, ["one"], ["two"]));
      const stranger = await context.link();
      const strange: WireMessage[] = [];
      const { address } = await context.soon(
        stranger.connection.openInbox(
          (frame) => strange.push(frame),
          () => {},
        ),
        "openInbox",
      );
      const call = await client.signal("request");
      await client.frames.until((frames) => textsOf(frames).length === 1, "the first");
      await client.resume(call, node, { counter: 5, received: 1 });
      await client.frames.find((frame) => numberOf(frame, FRAME_HEADER.resume) === 5, "the answer");
      await client.resume(call, node, { counter: 4, received: 0, inbox: address });
      await client.resume(call, node, { counter: 9, received: 0, inbox: address, clientId: "another" });
      await context.window(50, "both have been heard by then");
      gate.open();
      const end = await last(client, call);
      assert.equal(numberOf(end, FRAME_HEADER.resume), 5);
      assert.deepEqual(textsOf(client.frames.items), ["one", "two"]);
      assert.deepEqual(strange, []);
    },
  },
  {
    id: "R-223",
    sentence:
      "while a caller has no inbox, `respond` waits and `keepAlive` stays true; with its Resume the call goes on where it was",
    needs: ["frames"],
    async run(context) {
      const gate = context.gate();
      let state = "not begun";
      const extended: boolean[] = [];
      const {
        client,
        node,
        service: own,
      } = await opened(context, "waits", async (served) => {
        await respond(served, "one");
        await gate.wait();
        await served.context.respond({ body: Buffer.from("two") });
        // By now it has come back, or does while this one waits.
        await context.window(100, "a frame that finds no inbox has come back by then");
        state = "waiting";
        const accepted = await served.context.respond({ body: Buffer.from("three") });
        state = accepted ? "accepted" : "over";
        served.context.end();
      });
      const call = await client.signal("request");
      const { context: caller } = await own.calls.at(0);
      await client.frames.until((frames) => textsOf(frames).length === 1, "the first");
      await client.closeInbox();
      gate.open();
      await context.until(
        () => state === "waiting",
        () => `the service to respond; it is ${state}`,
      );
      await context.window(150, "a `respond` that does not wait has resolved by then");
      assert.equal(state, "waiting");
      assert.ok(!caller.signal.aborted);
      extended.push(caller.keepAlive(5_000));
      assert.deepEqual(extended, [true]);
      await client.openInbox();
      await client.resume(call, node, { counter: 1, received: 1 });
      await last(client, call);
      assert.deepEqual(textsOf(client.frames.items), ["one", "two", "three"]);
      assert.equal(state, "accepted");
    },
  },
  {
    id: "R-230",
    sentence:
      "a frame that comes back from an inbox that is not the caller's any more ends nothing, and holds nothing up",
    needs: ["frames"],
    async run(context) {
      const gate = context.gate();
      // Longer than a machine stands still.
      const options = { resumeMs: 2_500 };
      const {
        client,
        node,
        service: own,
      } = await opened(
        context,
        "former",
        async (served) => {
          await respond(served, "one");
          await gate.wait();
          await respond(served, "two");
          await context.window(options.resumeMs + 200, "longer than resumeMs");
          await respond(served, "three");
          served.context.end();
        },
        options,
      );
      const call = await client.signal("request");
      await client.frames.until((frames) => textsOf(frames).length === 1, "the first");
      await client.closeInbox();
      gate.open();
      await client.openInbox();
      await client.resume(call, node, { counter: 1, received: 1 });
      assert.equal((await last(client, call, 0, options.resumeMs)).type, FRAME.end);
      assert.deepEqual(textsOf(client.frames.items), ["one", "two", "three"]);
      assert.equal(own.calls.items.length, 1);
    },
  },
];
