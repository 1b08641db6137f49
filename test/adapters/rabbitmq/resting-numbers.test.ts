import { createRequire } from "node:module";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { AmqpConnectionState } from "../../../adapters/rabbitmq/amqp.js";
import { restNumbers } from "../../../adapters/rabbitmq/resting-numbers.js";

interface Internals {
  readonly Connection: new (stream: PassThrough) => AmqpConnectionState & { channelMax: number; heartbeat: number };
}

/** amqplib's own bookkeeping, as after a handshake, and a clock of the test's. */
function connection(channelMax: number, heartbeat = 10) {
  const file = fileURLToPath(new URL("../../../node_modules/amqplib/lib/connection.js", import.meta.url));
  const { Connection } = createRequire(import.meta.url)(file) as Internals;
  const made = Object.assign(new Connection(new PassThrough()), { channelMax, heartbeat });
  const clock = { now: 0 };
  restNumbers(made, () => clock.now);
  return { made, clock, open: () => made.freshChannel({}), close: (number: number) => made.releaseChannel(number) };
}

describe("numbers of rabbitmq channels", () => {
  it("rest for a minute after their channel is closed, and swallow what still comes for them", () => {
    const { made, clock, open, close } = connection(2047);
    expect([open(), open(), open()]).toEqual([1, 2, 3]);
    close(2);
    made.channels[2]?.channel.accept({ channel: 2 });
    expect([open(), open()]).toEqual([4, 5]);
    clock.now = 59_999;
    expect(open()).toBe(6);
    clock.now = 60_000;
    expect([open(), open()]).toEqual([2, 7]);
  });

  it("rest for three heartbeats where that is longer", () => {
    const { clock, open, close } = connection(2047, 100);
    close(open());
    clock.now = 299_999;
    expect(open()).toBe(2);
    clock.now = 300_000;
    expect(open()).toBe(1);
  });

  it("go back into use in the order of their rest when no other is free, and never run out", () => {
    const { made, clock, open, close } = connection(4);
    expect([open(), open(), open(), open()]).toEqual([1, 2, 3, 4]);
    for (const number of [3, 1, 2]) close(number);
    expect([open(), open(), open()]).toEqual([3, 1, 2]);
    expect(open).toThrow("No channels left");
    for (let round = 0; round < 10_000; round += 1) {
      clock.now += 1;
      close((round % 4) + 1);
      expect(open()).toBe((round % 4) + 1);
    }
    expect(made.channels).toHaveLength(5);
  });
});
