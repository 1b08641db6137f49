import { existsSync } from "node:fs";
import { connect } from "amqplib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { notedProcesses } from "../../tools/process/process-guard.js";
import { isAlive } from "../../tools/process/process-identity.js";
import { amqpAnswers } from "../../tools/rabbitmq/amqp-answers.js";
import { connectRabbitmqNode, type RabbitmqNode, startRabbitmq } from "../../tools/rabbitmq/index.js";

describe("a private RabbitMQ node", () => {
  let node: RabbitmqNode;
  beforeAll(async () => {
    node = await startRabbitmq();
  });
  afterAll(async () => {
    await node.stop();
  });

  it("answers on 127.0.0.1, and to rabbitmqctl", async () => {
    expect(new URL(node.url).hostname).toBe("127.0.0.1");
    expect(await amqpAnswers(node.port, 20_000)).toBe(true);
    const listeners = await node.control("eval", "rabbit_networking:active_listeners().");
    expect(listeners).toContain(String(node.port));
    // {0,0,0,0} and {0,0,0,0,0,0,0,0} are how Erlang writes "everywhere".
    expect(listeners).not.toContain("{0,0,0,0");
  });

  it("rejects a rabbitmqctl command that fails, with what it said", async () => {
    await expect(node.control("no_such_command")).rejects.toThrow(/no_such_command/);
  });

  it("keeps durable data through kill and restart, controlled from elsewhere too", async () => {
    const queue = "kept";
    const before = await connect(node.url);
    before.on("error", () => {});
    const channel = await before.createConfirmChannel();
    channel.on("error", () => {});
    await channel.assertQueue(queue, { durable: true });
    channel.sendToQueue(queue, Buffer.from("hello"), { persistent: true });
    await channel.waitForConfirms();

    const remote = connectRabbitmqNode(node.stateFile);
    const { pid } = remote;
    await remote.kill();
    expect(await node.running()).toBe(false);
    expect(await amqpAnswers(node.port, 500)).toBe(false);
    await remote.restart();
    expect(node.pid).not.toBe(pid);
    expect(node.pid).toBe(remote.pid);

    const after = await connect(node.url);
    const message = await (await after.createChannel()).get(queue, { noAck: true });
    expect(message === false ? undefined : message.content.toString()).toBe("hello");
    await after.close();
  });

  it("answers nothing while it is frozen, and again afterwards", async () => {
    await node.freeze();
    try {
      expect(await amqpAnswers(node.port, 500)).toBe(false);
      expect(await node.running()).toBe(true);
    } finally {
      await node.thaw();
    }
    expect(await amqpAnswers(node.port, 20_000)).toBe(true);
  });

  it("leaves no process and no directory when it is stopped, frozen or not", async () => {
    const processes = notedProcesses(node.directory);
    expect(processes.length).toBeGreaterThanOrEqual(3);
    await node.freeze();
    await node.stop();
    await node.stop();
    expect(processes.filter(isAlive)).toEqual([]);
    expect(existsSync(node.directory)).toBe(false);
    expect(() => connectRabbitmqNode(node.stateFile)).toThrow(/was stopped/);
  });
});

describe("a RabbitMQ node that cannot start", () => {
  it("is told with what went wrong, and leaves nothing behind", async () => {
    await expect(startRabbitmq({ source: { kind: "native", serverDirectory: "/nowhere" } })).rejects.toThrow(
      /could not be started/,
    );
  });
});
