import type { Broadcast, BroadcastOptions, IncomingMessage, SubscribeOptions, Subscription } from "../../index.js";
import type { ContractContext } from "../context.js";
import type { Collector } from "../probe.js";
import { bytes, text } from "../text.js";

export interface Heard {
  readonly text: string;
  readonly message: IncomingMessage<Uint8Array>;
}

export interface Listening {
  readonly subscription: Subscription;
  readonly heard: Collector<Heard>;
}

/** Subscribes and records; `answer` is what the handler does after that. */
export async function listen(
  context: ContractContext,
  broadcast: Broadcast,
  options: SubscribeOptions = {},
  answer: (heard: Heard, index: number) => Promise<void> | void = () => {},
): Promise<Listening> {
  const heard = context.collector<Heard>("broadcasts", (item) => item.text);
  const subscription = await context.soon(
    broadcast.subscribe((message) => {
      const item = { text: text(message.body), message };
      heard.add(item);
      return answer(item, heard.items.length - 1);
    }, options),
    `subscribe to ${broadcast.name}`,
  );
  return { subscription, heard };
}

export async function tell(
  context: ContractContext,
  broadcast: Broadcast,
  body: string,
  options: BroadcastOptions = {},
): Promise<void> {
  await context.soon(broadcast.publish({ body: bytes(body) }, options), `broadcast of ${body}`);
}

export function words(heard: Collector<Heard>): string[] {
  return heard.items.map((item) => item.text);
}
