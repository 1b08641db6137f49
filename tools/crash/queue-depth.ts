import { createInspectionClient } from "../../adapters/grpc/index.js";
import { MessagingError, type QueueCounts } from "../../src/index.js";

/** What a broker does not tell is undefined. */
export type QueueDepth = Pick<QueueCounts, "ready" | "delayed" | "inProcessing"> & { readonly deadLetters: number };

const NOTHING = { ready: 0, delayed: 0, inProcessing: 0 } as const;

/** What the server sees in its queue now. A queue that nobody has used yet is empty. */
export async function queueDepth(address: string): Promise<QueueDepth> {
  const client = createInspectionClient({ address });
  const count = async (queue: string): Promise<Omit<QueueDepth, "deadLetters">> => {
    try {
      return await client.counts(queue);
    } catch (error) {
      if (MessagingError.is(error, "NOT_FOUND")) return NOTHING;
      throw error;
    }
  };
  try {
    const { ready, delayed, inProcessing } = await count("");
    const dead = await count(".dead");
    return { ready, delayed, inProcessing, deadLetters: dead.ready + (dead.delayed ?? 0) + (dead.inProcessing ?? 0) };
  } finally {
    client.close();
  }
}
