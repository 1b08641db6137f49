import type { Priority, ServeOptions } from "../../index.js";
import type { ContractContext } from "../context.js";
import type { CapacityLedger } from "./invariants.js";
import { echo, type Opened, open, type ServedCall } from "./steps.js";

export interface Held extends Opened {
  readonly running: Map<Priority, number>;
  /** How many ran, each time that one started. */
  readonly ledger: CapacityLedger;
  release(): void;
}

/** A server whose calls run until they are released. */
export async function holding(
  context: ContractContext,
  purpose: string,
  serve: ServeOptions<Uint8Array, Uint8Array>,
): Promise<Held> {
  const gate = context.gate();
  const running = new Map<Priority, number>();
  const seen: number[] = [];
  const count = (lane: Priority, change: number): void => {
    running.set(lane, (running.get(lane) ?? 0) + change);
    seen.push([...running.values()].reduce((sum, one) => sum + one, 0));
  };
  const opened = await open(
    context,
    purpose,
    async (served: ServedCall) => {
      const lane = served.request.priority ?? "standard";
      count(lane, 1);
      await gate.wait();
      count(lane, -1);
      await echo(served, 0);
    },
    { serve },
  );
  const { expedite = 2, standard = 5, bulk = 5 } = serve.concurrency ?? {};
  return {
    ...opened,
    running,
    ledger: { capacity: expedite + standard + bulk, running: seen },
    release: () => gate.open(),
  };
}
