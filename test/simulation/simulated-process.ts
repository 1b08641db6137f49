import type { MemoryBroker } from "../../adapters/memory/index.js";
import { memoryDriver } from "../../adapters/memory/index.js";
import { createMessaging } from "../../src/core/messaging.js";
import { type Calls, createCalls } from "../../src/core/request/calls.js";
import type { Messaging } from "../../src/ports/messaging.js";
import type { Books } from "./books.js";
import { FaultyDriver } from "./faulty-driver.js";
import type { Plan } from "./plan.js";
import { SeededRandom } from "./seeded-random.js";
import type { Trace } from "./trace.js";
import { ProcessClock, type World } from "./world.js";

/** What every process of one run shares. */
export interface Stage {
  readonly plan: Plan;
  readonly world: World;
  readonly broker: MemoryBroker;
  readonly trace: Trace;
  readonly books: Books;
}

/** One process with one `Messaging`: what is killed with it is its clock, its wire, and so all that it would still do. */
export class SimulatedProcess {
  readonly name: string;
  readonly stage: Stage;
  readonly clock: ProcessClock;
  readonly driver: FaultyDriver;
  readonly messaging: Messaging;
  readonly calls: Calls;
  #state: "up" | "closing" | "closed" | "dead" = "up";

  constructor(stage: Stage, name: string) {
    const { plan, world, broker, trace, books } = stage;
    this.name = name;
    this.stage = stage;
    this.clock = new ProcessClock(world);
    this.driver = new FaultyDriver({
      inner: memoryDriver({ broker }),
      process: name,
      world,
      random: new SeededRandom(plan.seed, `wire ${name}`),
      weather: plan.weather,
      trace,
      watch: books,
    });
    const random = new SeededRandom(plan.seed, `engine ${name}`);
    this.messaging = createMessaging({ driver: this.driver, clock: this.clock, random, nodeId: name });
    this.calls = createCalls({ clock: this.clock, random });
  }

  get isUp(): boolean {
    return this.#state === "up";
  }

  get isDead(): boolean {
    return this.#state === "dead";
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** As by SIGKILL. */
  kill(): void {
    if (this.#state === "dead" || this.#state === "closed") return;
    this.#state = "dead";
    this.stage.trace.note(`${this.name} is killed`);
    this.clock.stop();
    this.driver.kill();
    this.stage.books.died(this.name);
  }

  async close(drainMs: number): Promise<void> {
    if (this.#state !== "up") return;
    this.#state = "closing";
    this.stage.trace.note(`${this.name} closes, drainMs ${drainMs}`);
    await this.stage.books.track(this.name, "Messaging.close", this.messaging.close({ drainMs }));
    if (this.isDead) return;
    this.#state = "closed";
    this.stage.trace.note(`${this.name} is closed`);
  }
}
