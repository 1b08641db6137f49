import assert from "node:assert";
import { FRAME, FRAME_HEADER, type WireMessage } from "../../driver/index.js";
import type { ContractCase } from "../case.js";
import type { ContractContext } from "../context.js";
import { wire } from "../driver/steps.js";
import { aborted } from "../queue/steps.js";
import { numbered, text } from "../text.js";
import { echo, goesOn, next, open, read, readFailure, readWell, respond, service, start, streaming } from "./steps.js";
import { tappedNode } from "./tapped-node.js";
import { controlBroadcast, firstSignal, requestQueue, wireClient, wireServer } from "./wire-peers.js";

/** Numbers that are as good as random and the same in each run. */
function createDice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

const VALUES = [
  "",
  "0",
  "1",
  "2",
  "-1",
  "1e9",
  "NaN",
  "999999999999999999999",
  "9007199254740991",
  "V4",
  "V5",
  "V9",
  "true",
  "no",
  "☃".repeat(50),
];
const BODIES = [
  "",
  "x",
  "null",
  "[]",
  '{"intervalMs":1,"calls":[[1,2,3]]}',
  '{"intervalMs":5,"calls":[["x",9,true]]}',
  "{",
];

/** A frame that may look like anything; `ids` are names of calls that it may be about. */
function fuzzed(dice: (sides: number) => number, ids: readonly string[]): WireMessage {
  const pick = <T>(items: readonly T[]): T => items[dice(items.length)] as T;
  const headers: Record<string, string> = {};
  for (const header of Object.values(FRAME_HEADER)) if (dice(2) === 0) headers[header] = pick(VALUES);
  const length = dice(4) === 0 ? dice(64) : -1;
  const body = length < 0 ? pick(BODIES) : Uint8Array.from({ length }, () => dice(256));
  return wire(body, {
    type: pick([...Object.values(FRAME), ...Object.values(FRAME), undefined, "", "Nonsense"]),
    correlationId: pick([...ids, ...ids, undefined, "", "nobody"]),
    headers,
    contentType: pick(["application/octet-stream", "application/json", "text/none", ""]),
  });
}

const FUZZ_BATCH = 250;

async function flood(
  context: ContractContext,
  count: number,
  send: (index: number) => Promise<void>,
  what: string,
): Promise<void> {
  for (let from = 0; from < count; from += FUZZ_BATCH) {
    const batch = Array.from({ length: Math.min(FUZZ_BATCH, count - from) }, (_, index) => send(from + index));
    await context.soon(Promise.all(batch), what, context.recoveryMs);
  }
}

/** What is sent by somebody who does not know the protocol, or means harm: it costs nobody else anything. */
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
    id: "R-185",
    sentence: "five thousand frames of nonsense to a server's queue, node and inbox change nothing for its calls",
    needs: ["frames"],
    limitMs: 60_000,
    async run(context) {
      const name = context.name("fuzz-server");
      const own = service(context, (served, index) =>
        served.text === "long" ? aborted(served.context.signal) : echo(served, index),
      );
      const node = await context.node();
      const server = await context.serve(node, name, own, { concurrency: { expedite: 5, standard: 5, bulk: 5 } });
      const sink = await context.sink(name);
      const long = start(sink, "long", { priority: "expedite" });
      await own.calls.count(1);
      const client = await wireClient(context, name);
      const upload = await client.signal("", {
        type: FRAME.channelRequest,
        lane: "bulk",
        headers: { [FRAME_HEADER.totalBytes]: "5000" },
      });
      const setup = await client.frames.find((frame) => frame.type === FRAME.channelSetup, "the server's inbox");
      const dice = createDice(20_001);
      const { connection } = client;
      const targets = [
        { kind: "queue", queue: requestQueue(name), lane: "standard" },
        { kind: "broadcast", name: controlBroadcast(name) },
        { kind: "broadcast", name: controlBroadcast(name), node: node.messaging.nodeId },
        { kind: "inbox", address: setup.headers[FRAME_HEADER.inbox] ?? "" },
      ] as const;
      await flood(
        context,
        5_000,
        (index) => {
          const to = targets[index % targets.length] ?? targets[0];
          const frame = fuzzed(dice, [upload, "another"]);
          const replyTo = dice(2) === 0 ? client.inbox : undefined;
          // What is taken for a request must not hold its slot for long, nor wait for credit that nobody gives.
          const bounds = { [FRAME_HEADER.timeoutMs]: "200", [FRAME_HEADER.window]: "512" };
          const headers = to.kind === "queue" ? { ...frame.headers, ...bounds } : frame.headers;
          return connection.publish(to, { ...frame, replyTo, headers });
        },
        "frames of nonsense",
      );
      await goesOn(context, sink, 2 * context.recoveryMs);
      assert.equal(own.calls.items[0]?.context.signal.aborted, false, "a call was ended");
      long.abort();
      await client.tell(FRAME.abort, upload);
      await context.until(
        () => server.inFlight === 0,
        () => `no call to be left; in flight ${server.inFlight}`,
        context.recoveryMs,
      );
      assert.equal(server.state, "running");
    },
  },
  {
    id: "R-186",
    sentence: "five thousand frames of nonsense to a client's inbox change nothing for its calls",
    needs: ["frames"],
    limitMs: 60_000,
    async run(context) {
      const name = context.name("fuzz-client");
      const gate = context.gate();
      const own = service(context, async (served, index) => {
        if (served.text !== "long") return echo(served, index);
        await respond(served, "one");
        await gate.wait();
        await streaming(20)(served, 0);
      });
      await context.serve(await context.node(), name, own);
      const client = tappedNode(context);
      const sink = client.messaging.requestSink(name);
      const long = start(sink, "long", { window: 5 });
      await next(context, long, 1);
      const inbox = client.published.items.find(({ message }) => message.type === FRAME.signal)?.message.replyTo ?? "";
      const dice = createDice(20_002);
      const { connection } = await context.link();
      await flood(
        context,
        5_000,
        () => connection.publish({ kind: "inbox", address: inbox }, fuzzed(dice, ["some call", inbox])),
        "frames of nonsense",
      );
      gate.open();
      assert.deepEqual(await readWell(context, long, context.recoveryMs), numbered("r", 20));
      await goesOn(context, sink);
      assert.equal(client.inboxes, 1);
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
