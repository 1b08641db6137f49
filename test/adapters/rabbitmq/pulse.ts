import { connect } from "amqplib";
import { onTestFinished } from "vitest";
import { brokerUrl, uniqueName } from "./broker.js";

const EVERY_MS = 200;
const WAITS_MS = 1_000;

export interface Pulse {
  /** The most that one of its messages was late until now, in ms; of one that has not arrived, so far. */
  lateMs(): number;
}

/**
 * A raw message each 200 ms, which waits for a second in one durable queue and goes on to another, past the adapter:
 * what is late there is late by the broker and its machine. Stopped when the test ends.
 */
export async function startPulse(): Promise<Pulse> {
  const model = await connect(brokerUrl);
  model.on("error", () => {});
  onTestFinished(() => model.close().catch(() => {}));
  const channel = await model.createChannel();
  const [waiting, out] = [uniqueName("pulse"), uniqueName("pulse out")];
  const quorum = { "x-queue-type": "quorum", "x-expires": 60_000 };
  await channel.assertQueue(out, { durable: true, arguments: quorum });
  await channel.assertQueue(waiting, {
    durable: true,
    arguments: { ...quorum, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": out },
  });
  const dueAt = new Map<string, number>();
  let worst = 0;
  const note = (due: number): void => {
    worst = Math.max(worst, performance.now() - due);
  };
  await channel.consume(
    out,
    (message) => {
      const id = String(message?.properties.messageId);
      const due = dueAt.get(id);
      dueAt.delete(id);
      if (due !== undefined) note(due);
    },
    { noAck: true },
  );
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    dueAt.set(String(sent), performance.now() + WAITS_MS);
    channel.sendToQueue(waiting, Buffer.alloc(1), {
      persistent: true,
      messageId: String(sent),
      expiration: String(WAITS_MS),
    });
  }, EVERY_MS);
  onTestFinished(() => clearInterval(timer));
  return {
    lateMs() {
      for (const due of dueAt.values()) note(due);
      return worst;
    },
  };
}
