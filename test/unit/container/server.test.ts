import { describe, expect, it } from "vitest";
import { memoryDriver } from "../../../adapters/memory/index.js";
import { Server } from "../../../src/container/server.js";
import { createEventService } from "../../../src/events/index.js";
import { createMessaging, MessagingError, type Observation } from "../../../src/index.js";
import { deferred } from "../../../src/util/deferred.js";
import { RecordingGateway } from "./recording-gateway.js";

function parts() {
  const observations: Observation[] = [];
  const messaging = createMessaging({ driver: memoryDriver(), observers: [(seen) => observations.push(seen)] });
  const events = createEventService({ messaging });
  return { messaging, events, observations };
}

describe("Server", { timeout: 5_000 }, () => {
  it("opens the messaging, starts the gateways in order, and says where they listen", async () => {
    const { messaging, events } = parts();
    const log: string[] = [];
    const gateways = [new RecordingGateway("a", log), new RecordingGateway("b", log)];
    await using server = new Server({ messaging, events, gateways });
    expect(await server.start()).toEqual(["a:1", "b:1"]);
    expect(await server.start()).toEqual(["a:1", "b:1"]);
    expect(messaging.state).toBe("open");
    expect(log).toEqual(["a starts", "b starts"]);
  });

  it("closes gateways, then the event service, then the messaging, within one drain", async () => {
    const { messaging, events } = parts();
    const log: string[] = [];
    void events.closed.then(() => log.push("events closed"));
    void messaging.closed.then(() => log.push("messaging closed"));
    const gateway = new RecordingGateway("a", log, { closeMs: 60 });
    const server = new Server({ messaging, events, gateways: [gateway] });
    await server.start();
    const first = server.close({ drainMs: 1_000 });
    const second = server.close();
    await second;
    expect(log).toEqual(["a starts", "a closes 1000", "a closed", "events closed", "messaging closed"]);
    await first;
    expect(await server.closed).toBeUndefined();
    await expect(server.start()).resolves.toEqual(["a:1"]);
  });

  it("closes what was opened when a gateway cannot start, and rejects with the cause", async () => {
    const { messaging, events } = parts();
    const log: string[] = [];
    const failure = new MessagingError("UNAVAILABLE", "port in use");
    const gateways = [new RecordingGateway("a", log), new RecordingGateway("b", log, { startError: failure })];
    const server = new Server({ messaging, events, gateways });
    await expect(server.start()).rejects.toBe(failure);
    expect(log).toContain("a closed");
    expect(messaging.state).toBe("closed");
    expect(await server.closed).toBe(failure);
  });

  it("settles a start that hangs when it is closed meanwhile", async () => {
    const { messaging } = parts();
    const gateway = new RecordingGateway("a", [], { startsWhen: deferred<void>().promise });
    const server = new Server({ messaging, gateways: [gateway] });
    const starting = server.start();
    const refused = expect(starting).rejects.toMatchObject({ code: "CLOSED" });
    await server.close({ drainMs: 0 });
    await refused;
    expect(await server.closed).toBeUndefined();
  });

  it("refuses to start once closed, and closes without having started", async () => {
    const { messaging } = parts();
    const server = new Server({ messaging });
    await server.close();
    await expect(server.start()).rejects.toMatchObject({ code: "CLOSED" });
    expect(messaging.state).toBe("closed");
  });

  it("takes all parts along when one ends by itself, and tells the cause", async () => {
    const { messaging, events } = parts();
    const gateway = new RecordingGateway("a", []);
    const server = new Server({ messaging, events, gateways: [gateway] });
    await server.start();
    const cause = new MessagingError("INTERNAL", "the listener broke");
    gateway.end(cause);
    expect(await server.closed).toBe(cause);
    expect(messaging.state).toBe("closed");
  });

  it("ends when its messaging is closed by somebody else", async () => {
    const { messaging, events } = parts();
    const gateway = new RecordingGateway("a", []);
    const server = new Server({ messaging, events, gateways: [gateway] });
    await server.start();
    await messaging.close();
    expect(await server.closed).toMatchObject({ code: "CLOSED" });
    expect(await gateway.closed).toBeUndefined();
  });

  it("does not wait for ever for a part that hangs or fails on close, and tells the observers", async () => {
    const { messaging } = parts();
    const told: Observation[] = [];
    const timers: { ms: number; action: () => void }[] = [];
    const clock = {
      now: () => 0,
      setTimer: (ms: number, action: () => void) => {
        timers.push({ ms, action });
        return () => undefined;
      },
    };
    const hangs = new RecordingGateway("a", [], { closesWhen: () => deferred<void>().promise });
    const fails = new RecordingGateway("b", [], { closesWhen: () => Promise.reject(new Error("broken")) });
    const server = new Server({ messaging, gateways: [hangs, fails], clock, observers: [(seen) => told.push(seen)] });
    await server.start();
    const closing = server.close({ drainMs: 500 });
    expect(timers.map(({ ms }) => ms)).toEqual([10_500, 10_500]);
    timers[0]?.action();
    await closing;
    expect(messaging.state).toBe("closed");
    expect(told).toEqual([
      { type: "discarded", source: "gateway", reason: "did not close within 10500 ms" },
      { type: "discarded", source: "gateway", reason: "failed to close: broken" },
    ]);
  });
});
