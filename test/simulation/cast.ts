import type { Harm } from "./journal.js";
import { BRIDGE, type FaultPlan } from "./plan.js";
import { SimulatedClient } from "./simulated-client.js";
import { SimulatedProcess, type Stage } from "./simulated-process.js";
import { SimulatedServer } from "./simulated-server.js";

/** A part in the story: played by one process after the other. */
interface Part<Player extends { readonly process: SimulatedProcess }> {
  readonly name: string;
  readonly start: (process: SimulatedProcess) => Player;
  incarnations: number;
  player: Player | undefined;
}

/** After a loss: until a client has found back, whatever the back-off. */
const RECOVERY_MS = 12_000;
/** A drain this short may end before the broker has answered. */
const HURRY_MS = 2_000;
/** Between the end of a process and the start of the next. */
const RESTART_MS = 50;

/** All processes of a run, and what is done to them. */
export class Cast {
  readonly processes: SimulatedProcess[] = [];
  readonly #stage: Stage;
  readonly #clients: readonly Part<SimulatedClient>[];
  readonly #servers: readonly Part<SimulatedServer>[];
  #isOver = false;

  /** `release` resolves when callers who stopped reading may give up. */
  constructor(stage: Stage, release: Promise<void>) {
    this.#stage = stage;
    this.#servers = stage.plan.servers.map((plan, index) => ({
      name: `server-${index}`,
      incarnations: 0,
      player: undefined,
      start: (process) => {
        const server = new SimulatedServer(process, plan);
        server.start();
        return server;
      },
    }));
    this.#clients = stage.plan.clients.map((plan, index) => ({
      name: `client-${index}`,
      incarnations: 0,
      player: undefined,
      start: (process) => new SimulatedClient(process, plan, release),
    }));
  }

  get servers(): readonly SimulatedServer[] {
    return this.#servers.flatMap(({ player }) => (player === undefined ? [] : [player]));
  }

  startAll(): void {
    for (const part of this.#servers) this.#start(part);
    for (const part of this.#clients) this.#start(part);
  }

  /** From now on nothing breaks, and somebody serves. */
  heal(): void {
    const somebodyServes = this.servers.some(({ process }) => process.isUp);
    const [first] = this.#servers;
    if (!somebodyServes && first !== undefined) this.#start(first);
  }

  client(index: number): SimulatedClient | undefined {
    const player = this.#clients[index]?.player;
    return player?.process.isUp ? player : undefined;
  }

  apply(fault: FaultPlan): void {
    const { role, index } = fault.target;
    const part: Part<SimulatedClient | SimulatedServer> | undefined =
      role === "client" ? this.#clients[index] : this.#servers[index];
    const process = part?.player?.process;
    if (part === undefined || process === undefined || process.isDead || process.isClosed) return;
    const { books, trace, world, broker } = this.#stage;
    const { kind, durationMs, noticedAfterMs, drainMs, spared, lost, isStubborn } = fault;
    const isClient = role === "client";
    trace.note(`${kind} at ${process.name}, for ${durationMs} ms, noticed after ${noticedAfterMs} ms`);
    const recoveredMs = noticedAfterMs + durationMs + RECOVERY_MS;
    switch (kind) {
      case "lose-connection":
        if (isClient) books.harmClient(process.name, { kind }, recoveredMs);
        else books.harmServer(process.name, { kind, server: process.name }, 0);
        for (const connection of process.driver.connections) connection.lose(noticedAfterMs);
        process.driver.refuse(durationMs);
        return;
      case "lose-inbox":
        if (isClient) books.harmClient(process.name, { kind }, recoveredMs);
        else {
          const harm = { kind, server: process.name };
          books.harmServer(process.name, harm, recoveredMs, ({ number }) => !this.#isUploaded(number));
        }
        this.#break(process, "inbox", noticedAfterMs);
        return;
      case "lose-consumer":
        books.harmServer(process.name, { kind, server: process.name }, 0, ({ idempotent }) => idempotent);
        this.#break(process, "consumer", noticedAfterMs);
        return;
      case "lose-frames":
        // What is numbered, and what is kept, is missed and asked for again: nobody is harmed.
        process.driver.loseFrames({ spared, lost, isStubborn });
        return;
      case "lose-subscription":
        this.#break(process, "subscription", noticedAfterMs);
        return;
      case "freeze":
        if (isClient) books.harmClient(process.name, { kind }, recoveredMs);
        else books.harmServer(process.name, { kind, server: process.name }, recoveredMs);
        for (const connection of process.driver.connections) connection.freeze(durationMs);
        return;
      case "block-broker":
        for (const { name } of this.processes) {
          books.harmClient(name, { kind }, recoveredMs);
          books.harmServer(name, { kind, server: name }, recoveredMs);
        }
        broker.setBlocked(true);
        world.after(durationMs, () => broker.setBlocked(false));
        return;
      case "kill":
        if (!isClient) books.harmServer(process.name, { kind, server: process.name }, 0);
        process.kill();
        world.after(RESTART_MS + durationMs, () => this.#start(part));
        return;
      case "close":
        this.#close(process, drainMs, isClient).then(
          () => world.after(RESTART_MS + durationMs, () => this.#start(part)),
          () => undefined,
        );
    }
  }

  /** Nobody is started any more. */
  async closeAll(drainMs: number): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.processes.map((process) => process.close(drainMs)));
  }

  async #close(process: SimulatedProcess, drainMs: number, isClient: boolean): Promise<void> {
    if (!process.isUp) return new Promise(() => {});
    const { books, world } = this.#stage;
    if (isClient) {
      books.harmClient(process.name, { kind: "close" }, 0);
    } else {
      // What is running when its time is over is cut short. What was never started goes back, if there is time for it;
      // uploads go with the inbox.
      const hasTime = drainMs > HURRY_MS;
      const forced: Harm = { kind: "close", server: process.name, isForced: true };
      world.after(Math.max(0, drainMs - 1), () => books.harmServer(process.name, forced, 0));
      books.harmServer(
        process.name,
        hasTime ? { kind: "close", server: process.name } : forced,
        hasTime ? 0 : HURRY_MS,
        ({ number }) => hasTime && !this.#isUploaded(number),
      );
    }
    await process.close(drainMs);
  }

  #start<Player extends { readonly process: SimulatedProcess }>(part: Part<Player>): void {
    if (part.player?.process.isUp || this.#isOver) return;
    const process = new SimulatedProcess(this.#stage, `${part.name}.${part.incarnations}`);
    part.incarnations += 1;
    this.processes.push(process);
    this.#stage.trace.note(`${process.name} starts`);
    part.player = part.start(process);
  }

  #break(process: SimulatedProcess, kind: string, noticedAfterMs: number): void {
    for (const connection of process.driver.connections) {
      for (const part of connection.breakables) if (part.kind === kind) part.lose(noticedAfterMs);
    }
  }

  #isUploaded(call: number): boolean {
    const { calls, clients } = this.#stage.plan;
    const plan = calls[call];
    // What is passed on hangs on the inbox of whoever passes it on.
    if (plan?.sink === BRIDGE) return true;
    return plan !== undefined && plan.requestBytes > (clients[plan.client]?.fragmentBytes ?? 0);
  }
}
