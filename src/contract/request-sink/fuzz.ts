import assert from "node:assert";
import { FRAME, FRAME_HEADER, type WireMessage } from "../../driver/index.js";
import type { ContractCase } from "../case.js";
import type { ContractContext } from "../context.js";
import { wire } from "../driver/steps.js";
import { aborted } from "../queue/steps.js";
import { numbered } from "../text.js";
import { echo, goesOn, next, readWell, respond, service, start, streaming } from "./steps.js";
import { tappedNode } from "./tapped-node.js";
import { controlBroadcast, requestQueue, wireClient } from "./wire-peers.js";

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

/** Thousands of frames of nonsense. */
export const fuzzCases: readonly ContractCase[] = [
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
];
