import type { ServerInterceptor } from "@grpc/grpc-js";
import type { GuardOptions } from "./guard-options.js";
import { GuardedCall } from "./guarded-call.js";

/**
 * The one place where it is decided who may do what: before anything of a call is read, and again for each request on it.
 * A request that is refused is handed on with its fault, so that its handler answers as it answers other bad requests.
 */
export class Guard {
  readonly interceptor: ServerInterceptor;
  readonly #streams = new Set<GuardedCall>();

  constructor(options: GuardOptions) {
    const streams = this.#streams;
    this.interceptor = ({ path, responseStream, requestStream }, next) =>
      new GuardedCall(next, { path, options, streams: responseStream || requestStream ? streams : undefined });
  }

  /** Looks at all open streams by what is known now, and ends those whose callers may not go on. */
  recheck(): void {
    for (const stream of this.#streams) stream.recheck();
  }
}
