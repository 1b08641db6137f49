import { ContainerModule } from "inversify";
import { describe, expect, it } from "vitest";
import { memoryBroker, memoryModule } from "../../../adapters/memory/index.js";
import { createContainer, messagingModule, type Server, TOKENS } from "../../../src/container/index.js";
import type { EventService } from "../../../src/events/index.js";
import type { Gateway, Messaging, Observation } from "../../../src/index.js";
import { RecordingGateway } from "./recording-gateway.js";

const gatewayModule = (...gateways: readonly Gateway[]): ContainerModule =>
  new ContainerModule(({ bind }) => {
    for (const gateway of gateways) {
      bind(TOKENS.Gateway)
        .toResolvedValue(() => gateway)
        .inSingletonScope();
    }
  });

describe("createContainer", () => {
  it("brings Messaging, EventService and Server over the one driver, each once", async () => {
    const container = createContainer(memoryModule());
    const messaging = container.get<Messaging>(TOKENS.Messaging);
    expect(container.get<Messaging>(TOKENS.Messaging)).toBe(messaging);
    const server = container.get<Server>(TOKENS.Server);
    expect(container.get<Server>(TOKENS.Server)).toBe(server);
    expect(container.get<EventService>(TOKENS.EventService).queue).toBe("events");
    expect(await server.start()).toEqual([]);
    expect(messaging.state).toBe("open");
    await container.unbindAllAsync();
    expect(messaging.state).toBe("closed");
    expect(await server.closed).toBeUndefined();
  });

  it("closes through its deactivation in the server's order, and waits for it", async () => {
    const log: string[] = [];
    const container = createContainer(
      memoryModule(),
      gatewayModule(new RecordingGateway("a", log, { closeMs: 40 }), new RecordingGateway("b", log)),
    );
    const messaging = container.get<Messaging>(TOKENS.Messaging);
    void container.get<EventService>(TOKENS.EventService).closed.then(() => log.push("events closed"));
    void messaging.closed.then(() => log.push("messaging closed"));
    expect(await container.get<Server>(TOKENS.Server).start()).toEqual(["a:1", "b:1"]);
    await container.unbindAllAsync();
    expect(log.slice(-4)).toEqual(["b closed", "a closed", "events closed", "messaging closed"]);
  });

  it("closes the event service before the messaging where there is no server", async () => {
    const log: string[] = [];
    const container = createContainer(memoryModule());
    void container.get<EventService>(TOKENS.EventService).closed.then((error) => log.push(`events ${String(error)}`));
    void container.get<Messaging>(TOKENS.Messaging).closed.then((error) => log.push(`messaging ${String(error)}`));
    await container.unbindAllAsync();
    expect(log).toEqual(["events undefined", "messaging undefined"]);
  });

  it("closes the messaging alone where only that was asked for, and nothing where nothing was", async () => {
    const container = createContainer(memoryModule());
    const messaging = container.get<Messaging>(TOKENS.Messaging);
    const queue = messaging.queue("orders");
    await queue.publish({ body: Buffer.from("one") });
    await container.unbindAllAsync();
    expect(messaging.state).toBe("closed");
    await createContainer(memoryModule()).unbindAllAsync();
  });

  it("gives observers of options and of modules, and the node id, to the messaging", async () => {
    const told: [string, Observation][] = [];
    const bound = new ContainerModule(({ bind }) => {
      bind(TOKENS.Observer).toConstantValue((seen) => told.push(["bound", seen]));
    });
    const own = messagingModule({ nodeId: "node-1", observers: [(seen) => told.push(["own", seen])] });
    const container = createContainer(own, bound, memoryModule());
    const messaging = container.get<Messaging>(TOKENS.Messaging);
    expect(messaging.nodeId).toBe("node-1");
    await messaging.open();
    await container.unbindAllAsync();
    const opened = told.filter(([, seen]) => seen.type === "connection" && seen.state === "open");
    expect(opened.map(([who]) => who)).toEqual(["own", "bound"]);
  });

  it("lets two containers be two nodes of one memory broker", async () => {
    const broker = memoryBroker();
    const one = createContainer(memoryModule({ broker }));
    const other = createContainer(memoryModule({ broker }));
    await one
      .get<Messaging>(TOKENS.Messaging)
      .queue("orders")
      .publish({ body: Buffer.from("one") });
    const received = new Promise<string>((resolve, reject) => {
      other
        .get<Messaging>(TOKENS.Messaging)
        .queue("orders")
        .consume(async ({ body }) => resolve(Buffer.from(body).toString()))
        .catch(reject);
    });
    expect(await received).toBe("one");
    await Promise.all([one.unbindAllAsync(), other.unbindAllAsync()]);
  });

  it("tells bad options of the event service as they are", () => {
    const container = createContainer(memoryModule(), messagingModule({ events: { ackTimeoutMs: 0 } }));
    expect(() => container.get<Server>(TOKENS.Server)).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.stringContaining("ackTimeoutMs") }),
    );
  });

  it("refuses to go on without a broker, and says what to add", () => {
    expect(() => createContainer()).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.stringContaining("memoryModule()") }),
    );
  });
});
