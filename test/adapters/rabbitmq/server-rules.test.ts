import { describe, expect, it, onTestFinished } from "vitest";
import { serverRules } from "../../../adapters/rabbitmq/server-rules.js";
import { MessagingError } from "../../../src/index.js";
import { brokerNode, brokerUrl, uniqueName } from "./broker.js";
import { connectDriver, take, wire } from "./rig.js";

describe("rabbitmq server rules", () => {
  it.each([
    ["3.7.28", false, false, false],
    ["3.8.0", true, false, false],
    ["3.9.27", true, false, false],
    ["3.10.0", true, true, false],
    ["3.12.14", true, true, false],
    ["3.13.7", true, true, false],
    ["4.0.0", true, true, true],
    ["4.1.0-rc.2", true, true, true],
    ["4.3.1+12.gabcdef", true, true, true],
    ["4", true, true, true],
    ["10.0.0", true, true, true],
    ["", false, false, false],
    ["next", false, false, false],
    ["-4.0", false, false, false],
    ["99999.1", false, false, false],
    [undefined, false, false, false],
    [{ value: "4.0.0" }, false, false, false],
  ])("version %j: credentials renewed %s, quorum %s, unlimited deliveries asked for %s", (said, ...rules) => {
    const [renewedCredentials, quorum, unlimitedDeliveries] = rules;
    const version = typeof said === "string" && said !== "" ? said : "unknown";
    const expected = { version, renewedCredentials, quorum, unlimitedDeliveries };
    expect(serverRules({ version: said }, "classic")).toEqual(expected);
  });

  it("refuses quorum queues before 3.10, and where the version is not known, and says what helps", () => {
    for (const [properties, named] of [
      [{ version: "3.9.27" }, "3.9.27"],
      [{ version: "3.8.0" }, "3.8.0"],
      [{}, "unknown"],
    ] as const) {
      try {
        serverRules(properties, "quorum");
        expect.unreachable();
      } catch (error) {
        expect(MessagingError.is(error, "UNSUPPORTED")).toBe(true);
        expect(String(error)).toContain(`this broker is ${named}: set queueType: "classic", or upgrade`);
      }
    }
  });

  it("need no queue that is neither durable nor exclusive, and no global prefetch: RabbitMQ 4.3 has neither", async () => {
    const vhost = uniqueName("rules").replace(" ", "-");
    const node = brokerNode();
    await node.control("add_vhost", vhost);
    onTestFinished(async () => {
      await node.control("delete_vhost", vhost);
    });
    await node.control("set_permissions", "-p", vhost, "guest", ".*", ".*", ".*");
    const { connection } = await connectDriver({ url: `${brokerUrl}/${vhost}`, maxMessageBytes: undefined });
    const queue = { name: "orders", deadLetterQueue: "orders.dead", lanes: false };
    const lanes = { name: "requests", deadLetterQueue: undefined, lanes: true };
    const nothing = (): void => {};
    const { consumer } = await take(connection, queue);
    await consumer.setPrefetch(20);
    await take(connection, lanes);
    await connection.publish({ kind: "queue", queue }, wire("later", { delayMs: 1_000 }));
    await connection.publish({ kind: "queue", queue: lanes, lane: "bulk" }, wire("now", { persistent: false }));
    await connection.subscribe("news", "node", nothing, nothing);
    await connection.openInbox(nothing, nothing);
    const [queues, channels] = await Promise.all([
      node.control("list_queues", "-p", vhost, "name", "durable", "exclusive"),
      node.control("list_channels", "vhost", "global_prefetch_count"),
    ]);
    const rows = rowsOf(queues).filter(([name]) => name !== "name");
    expect(rows.length).toBeGreaterThanOrEqual(2 + 3 + 26 + 1 + 2);
    expect(rows.filter(([, durable, exclusive]) => durable === exclusive)).toEqual([]);
    const own = rowsOf(channels).filter(([name]) => name === vhost);
    expect(own.length).toBeGreaterThan(4);
    expect(own.filter(([, global]) => global !== "0")).toEqual([]);
  });
});

function rowsOf(table: string): string[][] {
  return table
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t"));
}
