import assert from "node:assert";
import { FRAME, type WireMessage } from "../../driver/index.js";
import type { ContractCase } from "../case.js";
import { text } from "../text.js";
import { inTwoParts, keepAliveMs, readWell, service, start } from "./steps.js";
import { tappedNode } from "./tapped-node.js";

/** What becomes of calls that were named, though not answered yet, when their inbox is lost. */
export const namedCallCases: readonly ContractCase[] = [
  {
    id: "R-208",
    sentence: "a call that was named, though not answered yet, survives the loss of its caller's inbox",
    needs: ["frames"],
    async run(context) {
      const name = context.name("named");
      const gate = context.gate();
      const own = service(context, inTwoParts(gate, [], ["one", "two"]));
      await context.serve(await context.node(), name, own, { keepAliveMs: keepAliveMs(context) });
      const client = tappedNode(context);
      const stream = start(client.messaging.requestSink(name));
      const isAlive = ({ type, body }: WireMessage): boolean => type === FRAME.alive && text(body).includes("false");
      await client.received.find(isAlive, "an Alive that names the call");
      await client.loseInboxes();
      await context.until(
        () => client.inboxes === 2,
        () => "a new inbox",
        context.recoveryMs,
      );
      gate.open();
      assert.deepEqual(await readWell(context, stream, context.recoveryMs), ["one", "two"]);
      assert.equal(own.calls.items.length, 1, "the handler ran twice");
    },
  },
  {
    id: "R-209",
    sentence: "a call that was named survives when its first responses find no inbox before its caller has a new one",
    needs: ["frames"],
    async run(context) {
      const name = context.name("named-returned");
      const gate = context.gate();
      const own = service(context, inTwoParts(gate, [], ["one", "two"]));
      await context.serve(await context.node(), name, own, { keepAliveMs: keepAliveMs(context) });
      let isHeld = false;
      const client = tappedNode(context, {
        onPublish(message) {
          return isHeld && message.type === FRAME.resume ? [] : [message];
        },
      });
      const stream = start(client.messaging.requestSink(name));
      await client.received.find(({ type }) => type === FRAME.alive, "an Alive that names the call");
      isHeld = true;
      await client.loseInboxes();
      gate.open();
      await context.window(150, "the response has come back by then");
      isHeld = false;
      assert.deepEqual(await readWell(context, stream, context.recoveryMs), ["one", "two"]);
      assert.equal(own.calls.items.length, 1, "the handler ran twice");
    },
  },
];
