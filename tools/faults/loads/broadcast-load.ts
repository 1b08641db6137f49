import type { ErrorCode, Messaging } from "../../../src/index.js";
import { ErrorCounts } from "../ledger/error-counts.js";
import { Ledger } from "../ledger/ledger.js";
import { becomes } from "../round/becomes.js";
import type { FaultOutcome } from "../round/scenario.js";
import { type Pace, startPacer } from "./pacer.js";

export interface BroadcastLoadOptions extends Partial<Pace> {
  readonly publisher: Messaging;
  /** Default: the publisher. */
  readonly listeners?: readonly Messaging[] | undefined;
  readonly broadcast: string;
  /** What a publish may be told instead of success. Default: UNAVAILABLE. */
  readonly allowed?: readonly ErrorCode[] | undefined;
}

/** Broadcasts at an even pace, and listens, until it is finished. */
export interface BroadcastLoad {
  /** Of what was published; it says nothing of what was heard, since a broadcast may be lost. */
  readonly ledger: Ledger;
  /** The latest that everybody has heard, by its number in the ledger; -1 before that. */
  readonly heard: number;
  stop(): void;
  /**
   * Publishes until everybody has heard something of it, at most so long, then closes the subscriptions. What was
   * published counts for nothing in the outcome: a broadcast that is lost is no loss.
   */
  finish(timeoutMs: number): Promise<FaultOutcome>;
}

/** A broadcast waits for a link this long at most, and the machine is busy. */
const SETTLED_MS = 35_000;
const CLOSE_MS = 5_000;

interface Heard {
  count: number;
  last: number;
  wrong: number;
  at: number;
  longestMs: number;
}

export async function startBroadcastLoad(options: BroadcastLoadOptions): Promise<BroadcastLoad> {
  const { publisher, listeners = [publisher], broadcast, perSecond = 100, most = 200 } = options;
  const ledger = new Ledger();
  const errors = new ErrorCounts(options.allowed ?? ["UNAVAILABLE"]);
  const heard: Heard[] = [];
  const subscriptions = await Promise.all(
    listeners.map((node) => {
      const own: Heard = { count: 0, last: -1, wrong: 0, at: performance.now(), longestMs: 0 };
      heard.push(own);
      return node.broadcast(broadcast).subscribe(({ body }) => {
        const number = ledger.numberOf(Buffer.from(body).toString("utf8"));
        // At most once, in the order published.
        if (number === undefined || number <= own.last) own.wrong += 1;
        else own.last = number;
        const now = performance.now();
        own.longestMs = Math.max(own.longestMs, now - own.at);
        own.at = now;
        own.count += 1;
      });
    }),
  );
  const port = publisher.broadcast(broadcast);
  const publish = async (): Promise<void> => {
    const number = ledger.send();
    try {
      await port.publish({ body: Buffer.from(ledger.tokenOf(number)) });
      ledger.confirm(number);
    } catch (error) {
      ledger.fail(number);
      errors.add(`broadcast ${number}`, error);
    }
  };
  const pacer = startPacer({ perSecond, most, stopped: options.stopped }, publish);

  return {
    ledger,
    get heard() {
      return Math.min(...heard.map(({ last }) => last));
    },
    stop: () => pacer.stop(),
    async finish(timeoutMs) {
      const since = ledger.sent;
      const silent = (): number => heard.filter(({ last }) => last < since).length;
      await becomes(() => silent() === 0, timeoutMs);
      const deaf = silent();
      pacer.stop();
      await ledger.settled(SETTLED_MS);
      const violations = [...errors.violations];
      if (deaf > 0) violations.push(`${deaf} of ${heard.length} listeners hear nothing at the end`);
      const wrong = heard.reduce((sum, own) => sum + own.wrong, 0);
      if (wrong > 0) violations.push(`${wrong} came twice, out of order or from elsewhere`);
      for (const { state } of subscriptions) if (state !== "live") violations.push(`a subscription is ${state}`);
      await Promise.all(subscriptions.map((subscription) => subscription.close({ drainMs: CLOSE_MS })));
      const longestGapMs = Math.round(Math.max(...heard.map(({ longestMs }) => longestMs)));
      const least = Math.min(...heard.map(({ count }) => count));
      const notes = [`${least} of ${ledger.sent} heard`, ...errors.notes];
      const { unsettled } = ledger;
      const nothing = { sent: 0, confirmed: 0, handled: 0, duplicates: 0, lost: 0, stuck: 0 };
      return { ...nothing, unsettled, longestGapMs, violations, notes };
    },
  };
}
