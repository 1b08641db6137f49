import type { ConnectOptions, Driver, DriverConnection, WireMessage } from "../../src/driver/driver.js";
import { FRAME, FRAME_HEADER } from "../../src/driver/request-frames.js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { Capabilities } from "../../src/ports/capabilities.js";
import { onAbort } from "../../src/util/abort.js";
import { FaultyConnection } from "./faulty-connection.js";
import type { FaultyDriverOptions, FaultyEnd } from "./faulty-driver-options.js";
import type { FaultPlan } from "./plan.js";
import { latencyOf } from "./weather.js";

/** A driver whose wire has latency and weather, and on which everything can be made to break. */
export class FaultyDriver implements Driver, FaultyEnd {
  readonly name = "faulty";
  readonly capabilities: Capabilities;
  readonly options: FaultyDriverOptions;
  readonly latencyMs: () => number;
  readonly #connections = new Set<FaultyConnection>();
  #isDead = false;
  #refusesUntil = 0;
  /** Frames to inboxes: so many are spared, and then so many are lost. */
  #spared = 0;
  #losing = 0;
  #isStubborn = false;
  /** Responses that never come. */
  readonly #never = new Set<string>();

  constructor(options: FaultyDriverOptions) {
    this.options = options;
    this.capabilities = options.inner.capabilities;
    this.latencyMs = latencyOf(options.weather, options.random);
  }

  /** Its process has ended: nothing of it runs any more. */
  get isDead(): boolean {
    return this.#isDead;
  }

  get connections(): readonly FaultyConnection[] {
    return [...this.#connections];
  }

  toMessagingError(error: unknown): MessagingError {
    return this.options.inner.toMessagingError(error);
  }

  connect(options: ConnectOptions): Promise<DriverConnection> {
    const { inner, world } = this.options;
    return new Promise((resolve, reject) => {
      const forget = onAbort(options.signal, () => reject(new MessagingError("ABORTED", "connecting was aborted")));
      const refuse = (error: unknown): void => {
        forget();
        reject(error);
      };
      world.after(this.latencyMs(), () => {
        if (this.#isDead || options.signal.aborted) return;
        if (world.now < this.#refusesUntil) return refuse(new MessagingError("UNAVAILABLE", "no route to the broker"));
        let connection: FaultyConnection | undefined;
        const innerOptions: ConnectOptions = {
          signal: options.signal,
          onLost: () => connection?.lose(0),
          onBlocked: (isBlocked) => connection?.tell(() => options.onBlocked(isBlocked)),
          onReturned: (frame) => connection?.onReturned(frame),
        };
        inner.connect(innerOptions).then((real) => {
          const made = new FaultyConnection(this, real, options, () => this.#connections.delete(made));
          connection = made;
          if (this.#isDead || options.signal.aborted) return void made.close();
          this.#connections.add(made);
          world.after(this.latencyMs(), () => {
            if (this.#isDead) return;
            forget();
            // Nobody waits for it any more.
            if (options.signal.aborted) void made.close();
            else resolve(made);
          });
        }, refuse);
      });
    });
  }

  /** No new connection gets through for so long. */
  refuse(ms: number): void {
    this.#refusesUntil = Math.max(this.#refusesUntil, this.options.world.now + ms);
  }

  /** Of the next frames of numbered calls to an inbox, lets so many pass and then loses so many. */
  loseFrames({ spared, lost, isStubborn }: Pick<FaultPlan, "spared" | "lost" | "isStubborn">): void {
    this.#spared = spared;
    this.#losing = lost;
    this.#isStubborn = isStubborn;
  }

  losesFrame(message: WireMessage): boolean {
    if (this.#never.has(nameOf(message))) return true;
    if (this.#losing === 0 || !isHealed(message)) return false;
    if (this.#spared > 0) {
      this.#spared -= 1;
      return false;
    }
    this.#losing -= 1;
    if (this.#isStubborn && message.headers[FRAME_HEADER.sequence] !== undefined) this.#never.add(nameOf(message));
    return true;
  }

  /** The process ends as by SIGKILL: its connections go, and nothing is told to it any more. */
  kill(): void {
    this.#isDead = true;
    for (const connection of this.connections) connection.lose(0);
  }
}

const HEALED: ReadonlySet<string> = new Set([
  FRAME.response,
  FRAME.fragment,
  FRAME.fragmentEnd,
  FRAME.end,
  FRAME.error,
  FRAME.alive,
]);

function nameOf({ type, correlationId, headers }: WireMessage): string {
  return `${correlationId} ${headers[FRAME_HEADER.sequence]} ${headers[FRAME_HEADER.fragment]} ${type}`;
}

/** One that is missed when it is lost: others have no number, and brokers do not lose single frames. */
function isHealed({ type = "", headers }: WireMessage): boolean {
  return (
    HEALED.has(type) &&
    headers[FRAME_HEADER.version] === "V5" &&
    headers[FRAME_HEADER.node] !== undefined &&
    headers[FRAME_HEADER.refused] !== "true"
  );
}
