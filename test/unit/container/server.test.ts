import { describe, expect, it } from "vitest";
import { memoryDriver } from "../../../adapters/memory/index.js";
import { Server } from "../../../src/container/server.js";
import { createEventService } from "../../../src/events/index.js";
import {
  callOne,
  createMessaging,
  MessagingError,
  type Observation,
  type RequestSink,
  sinkOf,
} from "../../../src/index.js";
import { deferred } from "../../../src/util/deferred.js";
import { waitUntil } from "../../../tools/process/wait-until.js";
import { RecordingGateway } from "./recording-gateway.js";

function parts() {
  const observations: Observation[] = [];
  const messaging = createMessaging({ driver: memoryDriver(), observers: [(seen) => observations.push(seen)] });
  const events = createEventService({ messaging });
  return { messaging, events, observations };
}

describe("Server", () => {
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
    // The clock may tick between.
    const closes = expect.stringMatching(/^a closes (1000|99\d)$/);
    expect(log).toEqual(["a starts", closes, "a closed", "events closed", "messaging closed"]);
    await first;
    expect(await server.closed).toBeUndefined();
    await expect(server.start()).resolves.toEqual(["a:1"]);
  });

  it("serves sinks before clients can come, and lets what waits in a gateway be answered while it closes", async () => {
    const { messaging, events, observations } = parts();
    const log: string[] = [];
    const sink = sinkOf<Uint8Array, Uint8Array>(async function* ({ body }) {
      yield { body };
    });
    const ask = (): Promise<unknown> =>
      callOne(messaging.requestSink("echo"), { body: Uint8Array.of(7) }, { timeoutMs: 2_000 });
    const answered: unknown[] = [];
    const closesWhen = async (): Promise<void> => void answered.push(await ask());
    const gateway = new RecordingGateway("a", log, { closesWhen });
    const sinks = [{ name: "echo", sink: sink as RequestSink<unknown, unknown> }];
    const server = new Server({ messaging, events, gateways: [gateway], sinks });
    await server.start();
    expect(await ask()).toMatchObject({ body: Uint8Array.of(7) });
    await server.close({ drainMs: 4_000 });
    expect(answered).toMatchObject([{ body: Uint8Array.of(7) }]);
    const states = observations.flatMap((seen) => (seen.type === "request-server" ? [seen.state] : []));
    expect(states.at(-1)).toBe("closed");
  });

  it("stops answering requests halfway through the drain, however long a gateway takes", async () => {
    const { messaging, observations } = parts();
    const sink: RequestSink<unknown, unknown> = { signal: (_, context) => context.end(), abort: () => {} };
    const release = deferred<void>();
    const gateway = new RecordingGateway("a", [], { closesWhen: () => release.promise });
    const server = new Server({ messaging, gateways: [gateway], sinks: [{ name: "ends", sink }] });
    await server.start();
    const closing = server.close({ drainMs: 200 });
    const isClosed = (): boolean =>
      observations.some((seen) => seen.type === "request-server" && seen.state === "closed");
    await waitUntil(isClosed, { what: "the request server to close", timeoutMs: 20_000 });
    release.resolve();
    await closing;
  });

  it("takes all parts along when a sink cannot be served", async () => {
    const { messaging } = parts();
    const sinks = [{ name: "", sink: { signal() {}, abort() {} } }];
    const server = new Server({ messaging, gateways: [new RecordingGateway("a", [])], sinks });
    await expect(server.start()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(messaging.state).toBe("closed");
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
