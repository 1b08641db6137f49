import assert from "node:assert";
import { FRAME, type WireMessage } from "../../driver/index.js";
import { MessagingError, type ServeOptions } from "../../index.js";
import type { ContractCase } from "../case.js";
import type { ContractContext } from "../context.js";
import { numbered } from "../text.js";
import { long } from "./long-body.js";
import {
  goesOn,
  keepAliveMs,
  LONG_MS,
  next,
  read,
  readFailure,
  readWell,
  respond,
  service,
  start,
  streaming,
  type Work,
} from "./steps.js";
import { type TappedNode, tappedNode } from "./tapped-node.js";

/** A client that loses one of the frames of this type, the how-manieth says `which`, and a service. */
async function losing(
  context: ContractContext,
  purpose: string,
  { type, which = 1, count = 1 }: { readonly type: string; readonly which?: number; readonly count?: number },
  work: Work,
  options: ServeOptions<Uint8Array, Uint8Array> = {},
) {
  const name = context.name(purpose);
  const own = service(context, work);
  await context.serve(await context.node(), name, own, { keepAliveMs: keepAliveMs(context), ...options });
  let seen = 0;
  const client = tappedNode(context, {
    onInbox(message) {
      if (message.type !== type) return [message];
      seen += 1;
      return seen >= which && seen < which + count ? [] : [message];
    },
  });
  return { client, service: own, sink: client.messaging.requestSink(name), wasLost: () => seen >= which };
}

function resumes({ published }: TappedNode): readonly WireMessage[] {
  return published.items.flatMap(({ message }) => (message.type === FRAME.resume ? [message] : []));
}

/** Single frames that are lost: they are missed, asked for, and sent again. */
export const resumedFrameCases: readonly ContractCase[] = [
  {
    id: "R-211",
    sentence: "responses that are lost one by one are sent again, and the stream comes whole",
    needs: ["frames"],
    async run(context) {
      const name = context.name("now-and-then");
      await context.serve(await context.node(), name, service(context, streaming(200)), {
        keepAliveMs: keepAliveMs(context),
      });
      let seen = 0;
      const client = tappedNode(context, {
        onInbox(message) {
          seen += message.type === FRAME.response ? 1 : 0;
          return message.type === FRAME.response && seen % 23 === 7 ? [] : [message];
        },
      });
      const stream = start(client.messaging.requestSink(name), "request", { window: 10 });
      assert.deepEqual(await readWell(context, stream, context.recoveryMs), numbered("r", 200));
      const asked = resumes(client).length;
      assert.ok(asked >= 5 && asked <= 40, `${asked} Resumes for some ten lost responses`);
    },
  },
  {
    id: "R-212",
    sentence: "an error that is lost reaches its caller all the same, after all responses",
    needs: ["frames"],
    async run(context) {
      const { sink } = await losing(context, "error-lost", { type: FRAME.error }, async (served) => {
        await respond(served, "one");
        throw new MessagingError("NOT_FOUND", "no such thing");
      });
      const { texts } = await readFailure(context, start(sink), "NOT_FOUND", context.recoveryMs);
      assert.deepEqual(texts, ["one"]);
    },
  },
  {
    id: "R-213",
    sentence: "an end that is lost, of a call without a response, reaches its caller long before the timeout",
    needs: ["frames"],
    async run(context) {
      const { sink, wasLost } = await losing(context, "end-lost", { type: FRAME.end }, (served) =>
        served.context.end(),
      );
      assert.deepEqual(await readWell(context, start(sink), context.recoveryMs), []);
      assert.ok(wasLost());
      await goesOn(context, sink);
    },
  },
  {
    id: "R-214",
    sentence: "a large response of which a piece, or the end, is lost comes whole",
    needs: ["frames"],
    async run(context) {
      for (const [type, which] of [
        [FRAME.fragment, 1],
        [FRAME.fragment, 5],
        [FRAME.fragmentEnd, 1],
        [FRAME.fragmentEnd, 2],
      ] as const) {
        const work: Work = async (served) => {
          await respond(served, "first", long(3_500), "between", long(2_001));
          served.context.end();
        };
        const { sink, wasLost } = await losing(context, `${type}-lost`, { type, which }, work, {
          fragmentBytes: 1_000,
        });
        const texts = await readWell(context, start(sink), context.recoveryMs);
        assert.deepEqual(texts, ["first", long(3_500), "between", long(2_001)], `${type} ${which}`);
        assert.ok(wasLost());
      }
    },
  },
  {
    id: "R-215",
    sentence: "a large response in the middle of which the caller's inbox is lost comes whole",
    needs: ["frames"],
    async run(context) {
      const name = context.name("large-amid");
      const work: Work = async (served) => {
        await respond(served, "first", long(20_500), "last");
        served.context.end();
      };
      await context.serve(await context.node(), name, service(context, work), { fragmentBytes: 1_000 });
      let pieces = 0;
      const loses: (() => Promise<void>)[] = [];
      const client = tappedNode(context, {
        onInbox(message) {
          pieces += message.type === FRAME.fragment ? 1 : 0;
          if (pieces === 7 && message.type === FRAME.fragment) void loses[0]?.();
          return [message];
        },
      });
      loses.push(() => client.loseInboxes());
      const texts = await readWell(context, start(client.messaging.requestSink(name)), context.recoveryMs);
      assert.deepEqual(texts, ["first", long(20_500), "last"]);
      assert.equal(client.inboxes, 2);
    },
  },
  {
    id: "R-216",
    sentence: "a call that waits for credit waits on when its caller's inbox is lost, and goes on with the reader",
    needs: ["frames"],
    async run(context) {
      const { client, sink } = await losing(context, "blocked", { type: "none" }, streaming(9));
      const stream = start(sink, "request", { window: 3 });
      await client.received.until(
        (items) => items.filter(({ type }) => type === FRAME.response).length === 3,
        "the window's three",
      );
      await client.loseInboxes();
      await context.until(
        () => client.inboxes === 2,
        () => "a new inbox",
        context.recoveryMs,
      );
      await context.window(keepAliveMs(context) + 50, "whoever holds the call for unblocked has sent more by then");
      const bodies = client.received.items.filter(({ type }) => type === FRAME.response).length;
      assert.equal(bodies, 3, `${bodies} responses were sent with a window of 3`);
      assert.deepEqual(await readWell(context, stream, context.recoveryMs), numbered("r", 9));
    },
  },
  {
    id: "R-217",
    sentence: "a slow reader keeps its window through every loss: what is sent and not taken is never more",
    needs: ["frames"],
    async run(context) {
      const window = 4;
      const name = context.name("slow");
      let given = 0;
      let taken = 0;
      let most = 0;
      const own = service(context, async (served) => {
        for (const body of numbered("r", 30)) {
          given += 1;
          most = Math.max(most, given - taken);
          if (!(await respond(served, body))) return;
        }
        served.context.end();
      });
      await context.serve(await context.node(), name, own, { keepAliveMs: keepAliveMs(context) });
      const client = tappedNode(context);
      const stream = start(client.messaging.requestSink(name), "request", { window });
      const texts: string[] = [];
      for (let index = 0; index < 29; index += 1) {
        texts.push(...(await next(context, stream, 1)));
        taken += 1;
        if (index % 9 === 4) await client.loseInboxes();
      }
      texts.push(...(await readWell(context, stream, context.recoveryMs)));
      assert.deepEqual(texts, numbered("r", 30));
      // The one that the window has no room for yet waits at the service.
      assert.ok(most <= window + 1, `${most} were given and not taken`);
    },
  },
  {
    id: "R-218",
    sentence:
      "a response that is lost, and was too much to be kept, fails its call alone, with DATA_LOSS after all before it",
    needs: ["frames"],
    async run(context) {
      const { sink } = await losing(
        context,
        "not-kept",
        { type: FRAME.response, which: 2 },
        async (served) => {
          if (served.text === "small") return streaming(5)(served, 0);
          await respond(served, "one", long(2_000), "three");
          served.context.end();
        },
        { maxRetainedBytes: 1_000, keepAliveMs: keepAliveMs(context) },
      );
      const { texts } = await readFailure(context, start(sink), "DATA_LOSS", context.recoveryMs);
      assert.deepEqual(texts, ["one"]);
      assert.deepEqual(await readWell(context, start(sink, "small")), numbered("r", 5));
    },
  },
  {
    id: "R-219",
    sentence: "when much is lost, no call ends well with less than all of it",
    needs: ["frames"],
    async run(context) {
      const name = context.name("much-lost");
      await context.serve(await context.node(), name, service(context, streaming(40)), {
        keepAliveMs: keepAliveMs(context),
      });
      let seen = 0;
      const client = tappedNode(context, {
        onInbox(message) {
          seen += 1;
          return seen % 3 === 0 ? [] : [message];
        },
      });
      const sink = client.messaging.requestSink(name);
      const streams = numbered("call", 10).map((body) => start(sink, body, { window: 8, timeoutMs: LONG_MS }));
      for (const { texts, error } of await Promise.all(
        streams.map((stream) => read(context, stream, context.recoveryMs)),
      )) {
        assert.deepEqual(texts, numbered("r", texts.length));
        if (error === undefined) assert.equal(texts.length, 40);
        else assert.ok(MessagingError.is(error, "DATA_LOSS") || MessagingError.is(error, "UNAVAILABLE"), String(error));
      }
    },
  },
];
