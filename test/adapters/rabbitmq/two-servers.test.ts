import { describe } from "vitest";
import { rabbitmqDriver } from "../../../adapters/rabbitmq/index.js";
import { twoServers } from "../grpc/two-servers.js";
import { brokerUrl, uniqueName } from "./broker.js";

describe("two servers on one RabbitMQ", { timeout: 60_000 }, () => {
  twoServers(() => rabbitmqDriver({ url: brokerUrl }), uniqueName);
});
