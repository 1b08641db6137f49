import assert from "node:assert";
import { callOne, type ErrorCode, MessagingError } from "../../index.js";
import { listen } from "../broadcast/steps.js";
import type { ContractCase } from "../case.js";
import type { ContractContext, ContractNode } from "../context.js";
import { consumeOptions, distinct, post, take } from "../queue/steps.js";
import { answersAgain } from "../request-sink/comeback-steps.js";
import { echo, request, service } from "../request-sink/steps.js";
import { bytes, numbered } from "../text.js";
import { openAgain, states, takesOn } from "./steps.js";

interface UnderWay {
  readonly what: string;
  readonly outcome: Promise<readonly PromiseSettledResult<unknown>[]>;
  readonly codes: readonly ErrorCode[];
}

/** Something that waits for the broker, and how it may fail. */
function underWay(what: string, promise: Promise<unknown>, ...codes: ErrorCode[]): UnderWay {
  return { what, outcome: Promise.allSettled([promise]), codes };
}

/** Each settles; what fails does so with a code that says why. Returns what succeeded. */
async function allSettle(context: ContractContext, all: readonly UnderWay[]): Promise<ReadonlySet<string>> {
  const succeeded = new Set<string>();
  for (const { what, outcome, codes } of all) {
    const [result] = await context.soon(outcome, what, context.recoveryMs);
    assert.ok(result !== undefined);
    if (result.status === "fulfilled") {
      succeeded.add(what);
      continue;
    }
    const { reason } = result;
    assert.ok(MessagingError.is(reason), `${what} failed with something that is no MessagingError: ${String(reason)}`);
    assert.ok(codes.includes(reason.code), `${what} failed with ${reason.code}: ${reason.message}`);
  }
  return succeeded;
}

interface Names {
  readonly name: string;
  /** Served already. */
  readonly served: string;
  /** To be served. */
  readonly requests: string;
}

/** One of everything that waits for the broker. */
function oneOfEach(context: ContractContext, { messaging }: ContractNode, names: Names): UnderWay[] {
  const { name, served, requests } = names;
  const queue = messaging.queue(name);
  const { inspection } = messaging;
  const body = bytes("one");
  const all = [
    underWay("publish", queue.publish({ body })),
    underWay("publish, once", queue.publish({ body }, { resend: false }), "UNAVAILABLE"),
    underWay("publish of a broadcast", messaging.broadcast(name).publish({ body }), "UNAVAILABLE"),
    underWay("serve", messaging.serve(requests, service(context, echo))),
    underWay(
      "subscribe",
      messaging.broadcast(name).subscribe(() => {}),
    ),
    underWay(
      "consume",
      messaging.queue(`${name} idle`).consume(async () => {}, consumeOptions(context)),
    ),
    underWay(
      "a first call",
      callOne(messaging.requestSink(served), request(), { timeoutMs: 2_000 }),
      "UNAVAILABLE",
      "TIMEOUT",
    ),
  ];
  if (inspection !== undefined) {
    all.push(underWay("counts", inspection.counts(name), "UNAVAILABLE"));
    all.push(underWay("browse", inspection.browse(name), "UNAVAILABLE"));
  }
  return all;
}

/** Links are cut amid everything. */
export const cutCases: readonly ContractCase[] = [
  {
    id: "C-23",
    sentence: "each lost link is told once, and so is its healing: reconnecting, open; the state is then what was told",
    needs: ["dropConnections"],
    async run(context) {
      const told: string[] = [];
      const { messaging, observed } = await context.node({
        observers: [(item) => item.type === "connection" && told.push(`${item.state} while ${messaging.state}`)],
      });
      await context.soon(messaging.open(), "open");
      for (const losses of [1, 2]) {
        await context.dropConnections();
        await openAgain(context, { observed }, losses);
      }
      await context.window(30, "a link that does not hold is lost by then");
      const expected = ["connecting", "open", "reconnecting", "open", "reconnecting", "open"];
      assert.deepEqual(states(observed), expected);
      assert.deepEqual(
        told,
        expected.map((state) => `${state} while ${state}`),
      );
    },
  },
  {
    id: "C-24",
    sentence:
      "whatever is under way when a link is cut settles, at whatever step it was: what sets something up succeeds, what must not be done twice may fail with UNAVAILABLE",
    needs: ["dropConnections"],
    async run(context) {
      for (const gapMs of [0, 1, 3, 8]) {
        const node = await context.node();
        const name = context.name("under-way");
        const served = context.name("served");
        const requests = context.name("requests");
        await context.serve(node, served, service(context, echo));
        await post(context, node.messaging.queue(name), "before");
        const all = oneOfEach(context, node, { name, served, requests });
        await context.window(gapMs, "so that the loss finds another step");
        await context.dropConnections();
        await allSettle(context, all);
        await openAgain(context, node, 1);
        await answersAgain(context, node.messaging.requestSink(requests));
      }
    },
  },
  {
    id: "C-25",
    sentence: "a cut settles each of hundreds of promises that are pending, and what resolved is so",
    needs: ["dropConnections"],
    async run(context) {
      const node = await context.node();
      const { messaging } = node;
      const name = context.name("pending");
      const requests = context.name("pending-requests");
      await context.serve(node, requests, service(context, echo));
      const queue = messaging.queue(name);
      const publishes = numbered("m", 200).map((what, index) =>
        index % 2 === 0
          ? underWay(what, queue.publish({ body: bytes(what) }))
          : underWay(what, queue.publish({ body: bytes(what) }, { resend: false }), "UNAVAILABLE"),
      );
      const others = numbered("other", 10).flatMap((what) => [
        underWay(
          what,
          messaging.queue(`${name} idle`).consume(async () => {}, consumeOptions(context)),
        ),
        underWay(
          what,
          messaging.broadcast(name).subscribe(() => {}),
        ),
        underWay(
          what,
          callOne(messaging.requestSink(requests), request(), { timeoutMs: 3_000 }),
          "UNAVAILABLE",
          "TIMEOUT",
        ),
      ]);
      await context.dropConnections();
      const stored = await allSettle(context, publishes);
      await allSettle(context, others);
      for (const [index, { what }] of publishes.entries()) {
        if (index % 2 === 0) assert.ok(stored.has(what), `publish of ${what} failed, although it may be sent again`);
      }
      const { seen } = await take(context, queue, () => "ack", { concurrency: 20, prefetch: 50 });
      await seen.until(() => [...stored].every((body) => distinct(seen).has(body)), "all that were stored");
    },
  },
  {
    id: "C-26",
    sentence:
      "a link cut while closing ends the close like any other: what waited settles, and nothing is opened after it",
    needs: ["dropConnections"],
    async run(context) {
      const { messaging, observed } = await context.node();
      const name = context.name("closing");
      const gate = context.gate();
      const { consumer, seen } = await take(context, messaging.queue(name), () => gate.wait());
      const { subscription } = await listen(context, messaging.broadcast(name));
      await post(context, messaging.queue(name), "one");
      const { delivery } = await seen.at(0);
      const out = messaging.queue(`${name} out`);
      const publishing = Promise.allSettled(numbered("m", 20).map((body) => out.publish({ body: bytes(body) })));
      const closing = messaging.close({ drainMs: 3_000 });
      await context.dropConnections();
      gate.open();
      await context.soon(closing, "close", context.recoveryMs);
      await context.soon(publishing, "the publishes that waited");
      const isSettled = await context.soon(delivery.settled, "settled");
      for (const { state } of [messaging, consumer, subscription]) assert.equal(state, "closed");
      const other = await context.node();
      const again = await take(context, other.messaging.queue(name));
      if (!isSettled) await again.seen.find((item) => item.text === "one", "the message that was not settled");
      await takesOn(context, other.messaging, again, name, "after");
      assert.deepEqual(states(observed).slice(states(observed).indexOf("closing")), ["closing", "closed"]);
    },
  },
];
