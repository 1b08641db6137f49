import { describe, expect, it } from "vitest";
import { memoryBroker, memoryDriver } from "../../adapters/memory/index.js";
import { createMessaging } from "../../src/core/messaging.js";
import { FaultyDriver } from "./faulty-driver.js";
import { SeededRandom } from "./seeded-random.js";
import { Trace } from "./trace.js";
import { ProcessClock, World } from "./world.js";

const SILENT = {
  onDelivery: () => {},
  onReturned: () => {},
  onAck: () => {},
  onSent: () => {},
  onArrived: () => {},
  onHeard: () => {},
  onInboxGone: () => {},
  onInboxLive: () => {},
  onFrameLost: () => {},
};

function stage(seed: number) {
  const world = new World(200_000);
  const trace = new Trace(world);
  const broker = memoryBroker({
    clock: { now: () => world.now, setTimer: (ms, action) => world.after(ms, action) },
    random: new SeededRandom(seed, "broker"),
    schedule: world.schedule,
  });
  const weather = {
    minLatencyMs: 0,
    maxLatencyMs: 30,
    loseBroadcast: 0.2,
    repeatBroadcast: 0.2,
    delayBroadcast: 0.2,
    maxDelayMs: 500,
    shuffledPlaces: 0,
    socketFrames: 4,
  };
  const start = (name: string) => {
    const random = new SeededRandom(seed, name);
    const inner = memoryDriver({ broker });
    const driver = new FaultyDriver({ inner, process: name, world, random, weather, trace, watch: SILENT });
    const clock = new ProcessClock(world);
    const messaging = createMessaging({
      driver,
      clock,
      random: new SeededRandom(seed, `engine ${name}`),
      nodeId: name,
    });
    return { driver, clock, messaging };
  };
  return { world, trace, start };
}

/** A hundred messages through losses of all kinds. */
async function work(seed: number): Promise<{ handled: number[]; broadcasts: number[]; lines: string[] }> {
  const { world, trace, start } = stage(seed);
  const one = start("one");
  const other = start("other");
  const handled: number[] = [];
  const broadcasts: number[] = [];
  let settled = 0;
  world.begin(0, async () => {
    await other.messaging.queue("jobs").consume(
      async ({ body }) => {
        handled.push(body[0] ?? -1);
        await other.clock.sleep(5);
      },
      { concurrency: 3, maxDeliveries: Number.POSITIVE_INFINITY },
    );
  });
  world.begin(0, async () => {
    await other.messaging.broadcast("news").subscribe(({ body }) => void broadcasts.push(body[0] ?? -1));
  });
  for (let index = 0; index < 100; index += 1) {
    world.begin(index * 20, async () => {
      await one.messaging.queue("jobs").publish({ body: new Uint8Array([index]) });
      settled += 1;
    });
    world.after(500 + index * 20, () => {
      // At most once: what was under way when the link was lost is told, and not sent again.
      one.messaging
        .broadcast("news")
        .publish({ body: new Uint8Array([index]) })
        .catch(() => undefined);
    });
  }
  const lose = (kind: string): void => {
    for (const connection of other.driver.connections) {
      for (const part of connection.breakables) if (part.kind === kind) part.lose(50);
    }
  };
  for (const ms of [300, 900]) world.after(ms, () => lose("consumer"));
  world.after(600, () => lose("subscription"));
  world.after(700, () => one.driver.connections[0]?.lose(100));
  world.after(1_200, () => other.driver.connections[0]?.lose(0));
  world.after(1_500, () => other.driver.connections[0]?.freeze(400));
  world.begin(60_000, async () => {
    await one.messaging.close();
    await other.messaging.close();
    settled += 1;
  });
  await world.run(() => false);
  expect(settled).toBe(101);
  expect(one.clock.pending + other.clock.pending).toBe(0);
  return { handled, broadcasts, lines: [...trace.lines()] };
}

describe("FaultyDriver", () => {
  it("loses nothing of a queue through losses of consumers and connections, and plays with broadcasts", async () => {
    const { handled, broadcasts } = await work(1);
    expect(new Set(handled).size).toBe(100);
    expect(handled.length).toBeGreaterThan(100);
    expect(new Set(broadcasts).size).toBeLessThan(95);
    expect(broadcasts.length).toBeGreaterThan(new Set(broadcasts).size);
    expect(broadcasts).not.toEqual([...broadcasts].sort((one, other) => one - other));
  });

  it("does the same for the same seed, byte for byte", async () => {
    const [first, second, different] = [await work(2), await work(2), await work(3)];
    expect(first.lines.length).toBeGreaterThan(300);
    expect(first.lines).toEqual(second.lines);
    expect(first.lines).not.toEqual(different.lines);
  });

  it("tells a killed process nothing any more", async () => {
    const { world, start } = stage(4);
    const one = start("one");
    let handled = 0;
    let atDeath = -1;
    world.begin(0, async () => {
      const handler = async (): Promise<void> => {
        handled += 1;
      };
      await one.messaging.queue("jobs").consume(handler, { concurrency: 3 });
      for (let index = 0; index < 100; index += 1) {
        await one.messaging.queue("jobs").publish({ body: new Uint8Array(1) });
      }
    });
    world.after(400, () => {
      one.clock.stop();
      one.driver.kill();
      atDeath = handled;
    });
    await world.run(() => false);
    expect(atDeath).toBeGreaterThan(0);
    expect(handled).toBe(atDeath);
  });
});
