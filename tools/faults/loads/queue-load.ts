import { setTimeout as delay } from "node:timers/promises";
import type { Consumer, ErrorCode, Messaging, PublishOptions } from "../../../src/index.js";
import { ErrorCounts } from "../ledger/error-counts.js";
import { Ledger } from "../ledger/ledger.js";
import { becomes } from "../round/becomes.js";
import { excusedMs, lostMs } from "../round/lost-time.js";
import type { FaultOutcome } from "../round/scenario.js";
import { type Pace, startPacer } from "./pacer.js";

export interface QueueLoadOptions extends Partial<Pace> {
  readonly publisher: Messaging;
  /** Default: the publisher. */
  readonly consumer?: Messaging | undefined;
  readonly queue: string;
  /** Default 64. */
  readonly bodyBytes?: number | undefined;
  readonly publish?: PublishOptions | undefined;
  /** Default 10. */
  readonly concurrency?: number | undefined;
  /** How long a handler takes. Default 0. */
  readonly handlerMs?: number | undefined;
  /** What a publish may be told instead of success. Default: UNAVAILABLE. */
  readonly allowed?: readonly ErrorCode[] | undefined;
}

/** Publishes at an even pace and consumes, until it is finished. */
export interface QueueLoad {
  readonly ledger: Ledger;
  readonly consumer: Consumer;
  /** Publishes that failed, by code. */
  readonly errors: ErrorCounts;
  /** Notes a message that came elsewhere. */
  take(body: Uint8Array): void;
  /** Publishes nothing more. */
  stop(): void;
  /** Publishes again after `stop`. */
  goOn(): void;
  /**
   * Publishes nothing more, waits until all that was published is settled, and all that was confirmed has come, each at
   * most so long, and closes the consumer.
   */
  finish(timeoutMs: number): Promise<FaultOutcome>;
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** On a busy machine a timer is late. */
const LATE_MS = 2_000;
const CLOSE_MS = 5_000;

export async function startQueueLoad(options: QueueLoadOptions): Promise<QueueLoad> {
  const { publisher, consumer: node = publisher, concurrency = 10, handlerMs = 0, bodyBytes = 64 } = options;
  const { perSecond = 300, most = 500 } = options;
  const ledger = new Ledger();
  const errors = new ErrorCounts(options.allowed ?? ["UNAVAILABLE"]);
  const timeoutMs = options.publish?.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const queue = publisher.queue(options.queue);
  let latestMs = 0;
  let foreign = 0;

  const take = (body: Uint8Array): void => {
    const number = ledger.numberOf(tokenOf(body));
    if (number === undefined) foreign += 1;
    else ledger.handle(number);
  };
  const consumer = await node.queue(options.queue).consume(
    async ({ body }) => {
      take(body);
      if (handlerMs > 0) await delay(handlerMs);
    },
    { concurrency },
  );
  const publish = async (): Promise<void> => {
    const number = ledger.send();
    const [startedAt, lostBefore] = [performance.now(), lostMs()];
    try {
      await queue.publish({ body: toBody(ledger.tokenOf(number), bodyBytes) }, options.publish);
      ledger.confirm(number);
    } catch (error) {
      ledger.fail(number);
      errors.add(`publish ${number}`, error);
    }
    latestMs = Math.max(latestMs, performance.now() - startedAt - excusedMs(lostBefore));
  };
  let pacer = startPacer({ perSecond, most, stopped: options.stopped }, publish);

  return {
    ledger,
    consumer,
    errors,
    take,
    stop: () => pacer.stop(),
    goOn() {
      pacer.stop();
      pacer = startPacer({ perSecond, most, stopped: options.stopped }, publish);
    },
    async finish(mostMs) {
      pacer.stop();
      await ledger.settled(Math.max(mostMs, timeoutMs + LATE_MS));
      await ledger.arrived(mostMs);
      const violations = [...errors.violations];
      if (latestMs > timeoutMs + LATE_MS) {
        violations.push(`a publish took ${Math.round(latestMs)} ms with a timeout of ${timeoutMs} ms`);
      }
      await becomes(() => consumer.state === "running", mostMs);
      if (consumer.state !== "running") violations.push(`the consumer is ${consumer.state} at the end`);
      if (foreign > 0) violations.push(`${foreign} messages came that are not of this load`);
      await consumer.close({ drainMs: CLOSE_MS });
      return ledger.outcome({ violations, notes: errors.notes });
    },
  };
}

function toBody(token: string, bytes: number): Uint8Array {
  const body = Buffer.alloc(Math.max(bytes, token.length + 1));
  body.write(`${token} `, "utf8");
  return body;
}

function tokenOf(body: Uint8Array): string {
  const text = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, 64)).toString("utf8");
  const end = text.indexOf(" ");
  return end < 0 ? text : text.slice(0, end);
}
