import { afterAll, beforeAll, describe, it } from "vitest";
import { contractTests } from "../../../src/contract/index.js";
import { startRabbitmq } from "../../../tools/rabbitmq/index.js";
import { RABBITMQ_STATE_VARIABLE, RABBITMQ_URL_VARIABLE } from "../../../tools/test/broker-project.js";

/** About half of its time each. */
export const REQUESTS = ["RequestSink", "Events"];
export const REST = ["Queue", "Broadcast", "Connection", "Driver"];
const FAMILIES = [...REQUESTS, ...REST];

/** Some families of the contract with one type of queue, on a node of their own: they run side by side. */
export async function runContract(queueType: "quorum" | "classic", families: readonly string[]): Promise<void> {
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
  contractTests(
    {
      describe(title, define) {
        if (families.includes(title) || !FAMILIES.includes(title)) describe(title, define);
      },
      it: (name, run) => it(name, run, 240_000),
    },
    { ...harness, name: `${harness.name}: ${families.join(", ")}` },
  );
}
