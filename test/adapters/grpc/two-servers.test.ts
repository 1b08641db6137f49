import { randomUUID } from "node:crypto";
import { describe } from "vitest";
import { memoryBroker, memoryDriver } from "../../../adapters/memory/index.js";
import { twoServers } from "./two-servers.js";

const broker = memoryBroker();

describe.concurrent("two servers on one broker in memory", () => {
  twoServers(
    () => memoryDriver({ broker }),
    (purpose) => `${purpose} ${randomUUID()}`,
  );
});
