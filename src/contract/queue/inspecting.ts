import assert from "node:assert";
import type { InspectedMessage, Inspection, Messaging } from "../../index.js";
import type { CapabilityCondition } from "../case.js";
import type { ContractContext } from "../context.js";
import { bytes, text } from "../text.js";
import { take } from "./steps.js";

export const INSPECTED: CapabilityCondition = { inspection: ["ready", "all"] };
export const INSPECTED_DEAD: CapabilityCondition = { ...INSPECTED, "queue.deadLetter": true };

export function inspectionOf({ inspection }: Messaging): Inspection {
  assert.ok(inspection !== undefined, "the capability inspection is not none, but messaging.inspection is undefined");
  return inspection;
}

export function bodiesOf(messages: readonly InspectedMessage[]): string[] {
  return messages.map(({ body }) => text(body));
}

/** Publishes one message for each text, with the text as its messageId and in the header `name`. */
export async function fill(
  context: ContractContext,
  messaging: Messaging,
  name: string,
  texts: readonly string[],
): Promise<void> {
  for (const one of texts) {
    const message = { body: bytes(one), messageId: one, headers: { name: one, group: one.slice(0, 1) } };
    await context.soon(messaging.queue(name).publish(message), `publish of ${one}`);
  }
}

/** Fills the queue, and has each message given up with a reason. */
export async function fillDead(
  context: ContractContext,
  messaging: Messaging,
  name: string,
  texts: readonly string[],
): Promise<void> {
  const { consumer, seen } = await take(context, messaging.queue(name), () => ({ deadLetter: "no such customer" }));
  await fill(context, messaging, name, texts);
  await seen.count(texts.length);
  for (const { delivery } of seen.items) await context.soon(delivery.settled, "the settlement as a dead letter");
  await context.soon(consumer.close(), "close of the consumer that gives up");
}

/** Asks until the queue holds so many: brokers tell their counts a moment late. */
export async function holds(
  context: ContractContext,
  inspection: Inspection,
  queue: string,
  expected: number,
): Promise<void> {
  let last: number | undefined;
  let asking = false;
  await context.until(
    () => {
      if (!asking && last !== expected) {
        asking = true;
        void inspection.counts(queue).then(
          ({ ready }) => {
            last = ready;
            asking = false;
          },
          () => {
            asking = false;
          },
        );
      }
      return last === expected;
    },
    () => `${expected} ready messages in ${queue}; it says ${last}`,
  );
}

/** What the queue holds, by consuming it: everything that comes until nothing is ready. */
export async function drain(
  context: ContractContext,
  messaging: Messaging,
  name: string,
  expected: number,
): Promise<string[]> {
  const { consumer, seen } = await take(context, messaging.queue(name));
  await seen.count(expected);
  for (const { delivery } of seen.items) await context.soon(delivery.settled, "the ack");
  await context.soon(consumer.close(), "close of the consumer that drains");
  return seen.items.map((item) => item.text);
}
