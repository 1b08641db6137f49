import { FRAME, type WireMessage } from "../../driver/index.js";
import type { ServeOptions } from "../../index.js";
import type { ContractContext } from "../context.js";
import { text } from "../text.js";
import { LONG_MS, service, type Work } from "./steps.js";
import { type WireClient, wireClient } from "./wire-peers.js";

/** A server, and a client made by hand. */
export async function opened(
  context: ContractContext,
  purpose: string,
  work: Work,
  options: ServeOptions<Uint8Array, Uint8Array> = {},
) {
  const name = context.name(purpose);
  const node = await context.node();
  const own = service(context, work);
  await context.serve(node, name, own, { keepAliveMs: LONG_MS, ...options });
  return { service: own, node: node.messaging.nodeId, client: await wireClient(context, name) };
}

export function codeOf({ body }: WireMessage): unknown {
  return (JSON.parse(text(body)) as Record<string, unknown>).code;
}

export function textsOf(frames: readonly WireMessage[]): string[] {
  return frames.flatMap(({ type, body }) => (type === FRAME.response ? [text(body)] : []));
}

/** Waits for the end of a call, or its error. */
export function last(client: WireClient, call: string, after = 0, extraMs = 0): Promise<WireMessage> {
  const fits = (frame: WireMessage): boolean =>
    frame.correlationId === call &&
    (frame.type === FRAME.end || frame.type === FRAME.error) &&
    client.frames.items.indexOf(frame) >= after;
  return client.frames.find(fits, `the end of ${call}`, extraMs);
}
