import assert from "node:assert";
import { FRAME, FRAME_HEADER } from "../../driver/index.js";
import type { ContractCase } from "../case.js";
import { wire } from "../driver/steps.js";
import { text } from "../text.js";
import { echo, goesOn, open, read, readFailure, readWell, service, start } from "./steps.js";
import { firstSignal, requestQueue, wireClient, wireServer } from "./wire-peers.js";

/** What is sent by somebody who does not know the protocol: it costs nobody else anything. */
export const badInputCases: readonly ContractCase[] = [
  {
    id: "R-180",
    sentence:
      "a request without a header that it needs, or with nonsense in it, is answered with an error where there is a reply address",
    needs: ["frames"],
    async run(context) {
      const name = context.name("missing-headers");
      const own = service(context, echo);
      await context.serve(await context.node(), name, own);
      const client = await wireClient(context, name);
      const broken: readonly Readonly<Record<string, string | undefined>>[] = [
        { [FRAME_HEADER.timeoutMs]: undefined },
        { [FRAME_HEADER.timeoutMs]: "soon" },
        { [FRAME_HEADER.timeoutMs]: "-5" },
        { [FRAME_HEADER.client]: undefined },
        { [FRAME_HEADER.version]: "V77" },
      ];
      for (const headers of broken) {
        const id = await client.signal("broken", { headers });
        const answer = await client.frames.find(
          (frame) => frame.correlationId === id,
          `an answer to ${JSON.stringify(headers)}`,
        );
        assert.equal(answer.type, FRAME.error, JSON.stringify(headers));
        const { message } = JSON.parse(text(answer.body)) as { message: string };
        assert.ok(message.length > 0);
      }
      await client.signal("well");
      await own.calls.count(1);
      assert.deepEqual(
        own.calls.items.map((served) => served.text),
        ["well"],
      );
    },
  },
  {
    id: "R-181",
    sentence: "a request that cannot be answered, for it names no call or no sender, is dropped and told to observers",
    needs: ["frames"],
    async run(context) {
      const name = context.name("nameless");
      const own = service(context, echo);
      const node = await context.node();
      await context.serve(node, name, own);
      const { connection } = await context.link();
      const to = { kind: "queue", queue: requestQueue(name), lane: "standard" } as const;
      await context.soon(connection.publish(to, wire("what is this?")), "publish");
      await node.observed.find((item) => item.type === "discarded", "an observation of what was dropped");
      await goesOn(context, await context.sink(name));
      assert.equal(own.calls.items.length, 1);
    },
  },
  {
    id: "R-182",
    sentence:
      "a body whose type the server does not know is no request: it is dropped or answered, and the server goes on",
    needs: ["frames"],
    async run(context) {
      const name = context.name("foreign-type");
      const own = service(context, echo);
      await context.serve(await context.node(), name, own);
      const client = await wireClient(context, name);
      await client.signal("foreign", { type: "Nonsense" });
      await client.signal("an end?", { type: FRAME.end });
      const well = await client.signal("well");
      await client.frames.find((frame) => frame.correlationId === well && frame.type === FRAME.end, "the end");
      assert.deepEqual(
        own.calls.items.map((served) => served.text),
        ["well"],
      );
    },
  },
  {
    id: "R-183",
    sentence: "one call's bad frames end that call alone: a caller's other calls on the same inbox go on",
    needs: ["frames"],
    async run(context) {
      const name = context.name("bad-frames");
      const server = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const healthy = start(sink, "healthy");
      const signal = await firstSignal(server);
      const bad: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
        [FRAME.response, {}],
        [FRAME.response, { [FRAME_HEADER.sequence]: "one" }],
        [FRAME.response, { [FRAME_HEADER.sequence]: "0" }],
        [FRAME.fragment, { [FRAME_HEADER.sequence]: "1" }],
        [FRAME.fragmentEnd, { [FRAME_HEADER.sequence]: "1", [FRAME_HEADER.fragments]: "none" }],
        [FRAME.end, { [FRAME_HEADER.totalResponses]: "-1" }],
      ];
      for (const [index, [type, headers]] of bad.entries()) {
        const stream = start(sink, type);
        const own = await firstSignal(server, index + 1);
        await server.send(own, { type, headers, body: "x" });
        await server.finish(own, 7);
        const { error } = await read(context, stream);
        assert.ok(error !== undefined, `${type} ${JSON.stringify(headers)} passed for a clean end`);
      }
      await server.respond(signal, 1, "well");
      await server.finish(signal, 1);
      assert.deepEqual(await readWell(context, healthy), ["well"]);
    },
  },
  {
    id: "R-184",
    sentence: "an Error frame that cannot be read is an error all the same",
    needs: ["frames"],
    async run(context) {
      const name = context.name("unreadable-error");
      const server = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      for (const [index, body] of ["", "{", '{"code":"MADE_UP","message":7}', "null"].entries()) {
        const stream = start(sink);
        await server.send(await firstSignal(server, index), { type: FRAME.error, body });
        const { error } = await readFailure(context, stream, "REMOTE");
        assert.ok(error.message.length > 0);
      }
    },
  },
  {
    id: "R-187",
    sentence: "errors carry the code and the text, and the stack only where the server was told so",
    needs: ["frames"],
    async run(context) {
      for (const errorStacks of [false, true]) {
        const { name } = await open(
          context,
          `stacks-${errorStacks}`,
          () => {
            throw new TypeError("out of cheese");
          },
          { serve: { errorStacks } },
        );
        const client = await wireClient(context, name);
        const id = await client.signal("request");
        const frame = await client.frames.find(
          (one) => one.correlationId === id && one.type === FRAME.error,
          "the error",
        );
        const told = text(frame.body);
        assert.ok(told.includes("out of cheese"), told);
        assert.equal(/\bat .*:\d+:\d+/.test(told), errorStacks, told);
      }
    },
  },
  {
    id: "R-188",
    sentence: "serve and requestSink refuse names and options that make no sense with INVALID_ARGUMENT, naming each",
    async run(context) {
      const { messaging } = await context.node();
      const own = service(context, echo);
      const name = context.name("options");
      const attempts: readonly (() => unknown)[] = [
        () => messaging.requestSink(""),
        () => messaging.serve("", own),
        () => messaging.serve(name, own, { keepAliveMs: 0 }),
        () => messaging.serve(name, own, { concurrency: { standard: 0 } }),
        () => messaging.serve(name, own, { concurrency: { standard: 1.5 } }),
        () => messaging.serve(name, own, { fragmentBytes: 0 }),
        () => messaging.serve(name, own, { maxRequestBytes: -1 }),
        () => messaging.serve(name, own, { unknown: 1 } as never),
        () => messaging.requestSink(name, { protocolVersion: "V3" } as never),
        () => messaging.requestSink(name, { fragmentBytes: Number.NaN }),
        () => messaging.requestSink(name, { unknown: 1 } as never),
      ];
      for (const attempt of attempts) {
        await context.refused(() => attempt(), "INVALID_ARGUMENT", String(attempt));
      }
    },
  },
];
