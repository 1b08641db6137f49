import { randomUUID } from "node:crypto";
import { type Channel, connect, type GetMessage, type Options } from "amqplib";
import { waitUntil } from "../../../tools/process/wait-until.js";
import { connectRabbitmqNode, type RabbitmqNode } from "../../../tools/rabbitmq/index.js";

/** The node that all test files share. */
export const brokerUrl = process.env.FAIRLEAD_TEST_RABBITMQ_URL ?? "";
export const brokerPort = Number(new URL(brokerUrl).port);

export function brokerNode(): RabbitmqNode {
  return connectRabbitmqNode(process.env.FAIRLEAD_TEST_RABBITMQ_STATE ?? "");
}

export function uniqueName(purpose: string): string {
  return `${purpose} ${randomUUID()}`;
}

/** The broker as its operator sees it, past the adapter. */
export interface Operator {
  publish(queue: string, body: string, options?: Options.Publish): Promise<void>;
  /** Takes one message out, waiting for it. */
  take(queue: string, timeoutMs?: number): Promise<GetMessage>;
  /** What is ready in the queue, waiting until it is as many as expected. */
  untilReady(queue: string, messages: number, timeoutMs?: number): Promise<void>;
  declare(queue: string, options?: Options.AssertQueue): Promise<void>;
  deleteQueue(queue: string): Promise<void>;
  deleteExchange(exchange: string): Promise<void>;
  close(): Promise<void>;
}

/** What the contract's cases, and the lanes of its queues, make of the names that they are given. */
export const CONTRACT_SUFFIXES: readonly string[] = [
  ...["", " idle", " out", ".expedite"].flatMap((suffix) => [suffix, `${suffix}.dead`]),
  ".standard",
  ".bulk",
];

export async function openOperator(url = brokerUrl): Promise<Operator> {
  const model = await connect(url);
  model.on("error", () => {});
  // What the broker refuses costs the channel.
  const withChannel = async <T>(action: (channel: Channel) => Promise<T>): Promise<T> => {
    const channel = await model.createChannel();
    channel.on("error", () => {});
    try {
      return await action(channel);
    } finally {
      await channel.close().catch(() => {});
    }
  };
  return {
    publish: (queue, body, options = {}) =>
      withChannel(async (channel) => {
        channel.sendToQueue(queue, Buffer.from(body), options);
      }),
    async take(queue, timeoutMs = 20_000) {
      let taken: GetMessage | false = false;
      await waitUntil(
        async () => {
          taken = await withChannel((channel) => channel.get(queue, { noAck: true }));
          return taken !== false;
        },
        { what: `a message in ${queue}`, timeoutMs },
      );
      if (taken === false) throw new Error("unreachable");
      return taken;
    },
    async untilReady(queue, messages, timeoutMs = 20_000) {
      let seen = -1;
      await waitUntil(
        async () => {
          seen = (await withChannel((channel) => channel.checkQueue(queue))).messageCount;
          return seen === messages;
        },
        { what: () => `${messages} messages in ${queue}, there are ${seen}`, timeoutMs },
      );
    },
    declare: (queue, options) =>
      withChannel(async (channel) => {
        await channel.assertQueue(queue, options);
      }),
    deleteQueue: (queue) =>
      withChannel(async (channel) => {
        await channel.deleteQueue(queue);
      }),
    deleteExchange: (exchange) =>
      withChannel(async (channel) => {
        await channel.deleteExchange(exchange);
      }),
    close: () => model.close().catch(() => {}),
  };
}

/** Has the broker close every channel that consumes from the queue, as after a fault of its client. */
export async function closeConsumingChannels(queue: string, vhost = "/"): Promise<void> {
  await brokerNode().control(
    "eval",
    `{ok, Queue} = rabbit_amqqueue:lookup(rabbit_misc:r(${erlangText(vhost)}, queue, ${erlangText(queue)})),
     [rabbit_channel:do(element(1, Consumer), {'basic.ack', 987654321, false})
      || Consumer <- rabbit_amqqueue:consumers(Queue)].`,
  );
}

function erlangText(text: string): string {
  return `<<${[...Buffer.from(text, "utf8")].join(",")}>>`;
}
