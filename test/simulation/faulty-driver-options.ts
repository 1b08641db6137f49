import type { Driver, WireMessage } from "../../src/driver/driver.js";
import type { Priority } from "../../src/ports/message.js";
import type { SeededRandom } from "./seeded-random.js";
import type { Trace } from "./trace.js";
import type { Weather } from "./weather.js";
import type { World } from "./world.js";

/** What happens at the wire, told to whoever keeps the books. */
export interface WireWatch {
  /** A request is out to this process, on the wire called so. */
  onDelivery(process: string, from: QueueLane, correlationId: string | undefined): void;
  /** So many of them are no longer out. */
  onReturned(process: string, from: QueueLane, count: number): void;
  /** It tells the broker to forget a request. */
  onAck(process: string, correlationId: string | undefined): void;
  /** Before it is on its way. */
  onSent(process: string, message: WireMessage): void;
  /** In an inbox, before it is given to the process. */
  onArrived(process: string, message: WireMessage): void;
  /** By broadcast, before it is given to the process. */
  onHeard(process: string, message: WireMessage): void;
  /** The process is told that an inbox of its is gone. */
  onInboxGone(process: string, inbox: string): void;
  /** The process has an inbox that is live. */
  onInboxLive(process: string, inbox: string): void;
  /** A frame that was for an inbox of the process was lost on its way. */
  onFrameLost(process: string, message: WireMessage): void;
}

export interface QueueLane {
  readonly queue: string;
  readonly lane: Priority | undefined;
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
  /** Whether this frame, which is for an inbox of the process, is lost. */
  losesFrame(message: WireMessage): boolean;
}
