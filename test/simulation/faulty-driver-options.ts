import type { Driver, WireMessage } from "../../src/driver/driver.js";
import type { SeededRandom } from "./seeded-random.js";
import type { Trace } from "./trace.js";
import type { Weather } from "./weather.js";
import type { World } from "./world.js";

/** What happens at the wire, told to whoever keeps the books. */
export interface WireWatch {
  /** A request reached this process, on the wire called so. */
  onDelivery(process: string, correlationId: string | undefined): void;
  /** So many of its deliveries are no longer out. */
  onReturned(process: string, count: number): void;
  /** Before it is on its way. */
  onSent(process: string, message: WireMessage): void;
  onArrived(process: string, message: WireMessage): void;
}

export interface FaultyDriverOptions {
  readonly inner: Driver;
  /** The process that it belongs to, for the trace. */
  readonly process: string;
  readonly world: World;
  readonly random: SeededRandom;
  readonly weather: Weather;
  readonly trace: Trace;
  readonly watch: WireWatch;
}

/** The driver, as its connections see it. */
export interface FaultyEnd {
  readonly options: FaultyDriverOptions;
  readonly isDead: boolean;
  readonly latencyMs: () => number;
}
