import { afterAll, beforeAll, describe, it } from "vitest";
import { contractTests } from "../../../src/contract/index.js";
import { startRabbitmq } from "../../../tools/rabbitmq/index.js";
import { RABBITMQ_STATE_VARIABLE, RABBITMQ_URL_VARIABLE } from "../../../tools/test/broker-project.js";

const runner = { describe, it: (name: string, run: () => Promise<void>) => it(name, run, 150_000) };

/** The contract with one type of queue, on a node of its own. */
export async function runContract(queueType: "quorum" | "classic"): Promise<void> {
  const node = await startRabbitmq();
  process.env[RABBITMQ_URL_VARIABLE] = node.url;
  process.env[RABBITMQ_STATE_VARIABLE] = node.stateFile;
  // Not before: it looks for the node when it is loaded.
  const { nodeHarness } = await import("./harness.js");
  const { harness, start, stop } = nodeHarness(queueType);
  beforeAll(start);
  afterAll(async () => {
    await stop().finally(() => node.stop());
  });
  contractTests(runner, harness);
}
