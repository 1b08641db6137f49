import {
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  status as STATUS,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { service } from "grpc-health-check";
import type { Cancel, Clock } from "../../src/ports/clock.js";
import { HealthWatch, type ServingStatus } from "./health-watch.js";

interface HealthRequest {
  readonly service: string;
}

interface HealthReply {
  readonly status: ServingStatus | "SERVICE_UNKNOWN";
}

export interface HealthOptions {
  /** All that there are; what one says holds for each. `""` is the whole server. */
  readonly names: readonly string[];
  /** Whether what stands behind the gateway could serve now. */
  isAvailable(this: void): boolean;
  readonly clock: Clock;
}

/** No service of ours has a name that is nearly as long; what is longer is not even read. */
const MAX_REQUEST_BYTES = 1_024;
const MAX_SHOWN_LENGTH = 200;
/** A state has no events; whoever watches learns of a change within this time, and not of what has passed by then. */
const LOOK_EVERY_MS = 250;

/**
 * grpc.health.v1.Health of a fixed set of names: serving while the gateway does, and what stands behind it is available.
 * Everybody may ask, so nothing is kept of what is asked for: the library's own remembers each name that was ever watched.
 */
export class Health {
  readonly #names: ReadonlySet<string>;
  readonly #isAvailable: () => boolean;
  readonly #clock: Clock;
  /** Of our names only: what others stand for never changes. */
  readonly #watches = new Set<HealthWatch>();
  #isServing = false;
  #looking: Cancel | undefined;

  constructor({ names, isAvailable, clock }: HealthOptions) {
    this.#names = new Set(names);
    this.#isAvailable = isAvailable;
    this.#clock = clock;
  }

  /** Whether the gateway itself serves. Those who watch are told at once. */
  set(isServing: boolean): void {
    this.#isServing = isServing;
    this.#tell();
  }

  /** Nobody is told any more. */
  close(): void {
    this.#watches.clear();
    this.#looking?.();
    this.#looking = undefined;
  }

  /** To be added to a server together with `handlers`. */
  get definition(): ServiceDefinition {
    const methods = Object.entries(service as unknown as ServiceDefinition).map(([name, method]) => {
      const read = method.requestDeserialize;
      // The library keeps the request for as long as the call is open.
      const requestDeserialize = (bytes: Buffer): unknown =>
        bytes.byteLength > MAX_REQUEST_BYTES ? { service: "a name that is too long" } : read(bytes);
      return [name, { ...method, requestDeserialize }];
    });
    return Object.fromEntries(methods) as ServiceDefinition;
  }

  get handlers(): UntypedServiceImplementation {
    return {
      Check: ({ request }: ServerUnaryCall<HealthRequest, HealthReply>, done: sendUnaryData<HealthReply>) => {
        if (this.#names.has(request.service)) return done(null, { status: this.#status });
        const shown = JSON.stringify(request.service.slice(0, MAX_SHOWN_LENGTH));
        done({ code: STATUS.NOT_FOUND, details: `this server has no service ${shown}` });
      },
      Watch: (call: ServerWritableStream<HealthRequest, HealthReply>) => {
        if (!this.#names.has(call.request.service)) return void call.write({ status: "SERVICE_UNKNOWN" });
        const watch = new HealthWatch(call);
        this.#watches.add(watch);
        call.once("cancelled", () => this.#watches.delete(watch));
        watch.tell(this.#status);
        this.#look();
      },
      List: (_: unknown, done: sendUnaryData<{ readonly statuses: Readonly<Record<string, HealthReply>> }>) => {
        const status = this.#status;
        done(null, { statuses: Object.fromEntries([...this.#names].map((name) => [name, { status }])) });
      },
    };
  }

  get #status(): ServingStatus {
    return this.#isServing && this.#isAvailable() ? "SERVING" : "NOT_SERVING";
  }

  #tell(): void {
    const status = this.#status;
    for (const watch of this.#watches) watch.tell(status);
  }

  /** While anybody watches. */
  #look(): void {
    this.#looking ??= this.#clock.setTimer(LOOK_EVERY_MS, () => {
      this.#looking = undefined;
      if (this.#watches.size === 0) return;
      this.#tell();
      this.#look();
    });
  }
}
