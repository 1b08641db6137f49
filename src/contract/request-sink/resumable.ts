import assert from "node:assert";
import type { WireMessage } from "../../driver/index.js";
import type { RequestSink } from "../../index.js";
import type { ContractContext } from "../context.js";
import type { Gate } from "../probe.js";
import { numbered } from "../text.js";
import { echo, keepAliveMs, respond, type Service, service } from "./steps.js";
import { type Tap, type TappedNode, tappedNode } from "./tapped-node.js";

const COUNT = 12;
export const HALF = 5;

export interface Resumable {
  readonly name: string;
  readonly service: Service;
  readonly client: TappedNode;
  readonly sink: RequestSink;
  /** Opened, it lets the service go on after the first half. */
  readonly gate: Gate;
}

/** A service whose responses come in two halves, and a client whose frames can be lost. */
export async function resumable(context: ContractContext, purpose: string, tap: Tap = {}): Promise<Resumable> {
  const name = context.name(purpose);
  const gate = context.gate();
  const own = service(context, async (served) => {
    if (served.text !== "request") return echo(served, 0);
    const texts = numbered("r", COUNT);
    await respond(served, ...texts.slice(0, HALF));
    await gate.wait();
    await respond(served, ...texts.slice(HALF));
    served.context.end();
  });
  await context.serve(await context.node(), name, own, { keepAliveMs: keepAliveMs(context) });
  const client = tappedNode(context, tap);
  return { name, service: own, client, sink: client.messaging.requestSink(name), gate };
}

/** All of it, each once and in order, from a handler that was started once and whose call was never given up. */
export function isWhole({ service: own }: Resumable, texts: readonly string[]): void {
  assert.deepEqual(texts, numbered("r", COUNT));
  assert.equal(own.calls.items.length, 1, "the handler ran twice");
  // What is sent again may come after the end, and is answered with Abort then; the service is not told of those.
  assert.deepEqual(own.aborts.items, [], "the call was given up");
}

export function framesOf({ published }: TappedNode, type: string): readonly WireMessage[] {
  return published.items.flatMap(({ message }) => (message.type === type ? [message] : []));
}
