import type { Metadata, ServiceError } from "@grpc/grpc-js";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import type { Clock } from "../../../src/ports/clock.js";
import { onAbort } from "../../../src/util/abort.js";
import { toCallFailure } from "./call-failure.js";
import type { ServerLink } from "./server-link.js";

export interface UnaryCallOptions {
  readonly clock: Clock;
  /** Names the call in errors. */
  readonly what: string;
  readonly timeoutMs: number;
  /** Gives it up; its reason is a `MessagingError`. */
  readonly signal: AbortSignal;
}

type Done = (error: ServiceError | null) => void;

/** One call to one server. Always settles; rejects with a `MessagingError`. */
export function unaryCall(
  link: ServerLink,
  { clock, what, timeoutMs, signal }: UnaryCallOptions,
  start: (metadata: Metadata, done: Done) => { cancel(): void },
): Promise<void> {
  return new Promise((resolve, reject) => {
    let call: { cancel(): void } | undefined;
    let isOver = false;
    const settle = (act: () => void): void => {
      if (isOver) return;
      isOver = true;
      cancelTimer();
      forget();
      act();
      // The library must not hold the promise up; the server is told all the same.
      call?.cancel();
    };
    const fail = (error: unknown): void => settle(() => reject(toCallFailure(error, what)));
    const cancelTimer = clock.setTimer(timeoutMs, () => {
      fail(new MessagingError("TIMEOUT", `${what}: ${link.address} did not answer in time`));
    });
    let forget = (): void => {};
    forget = onAbort(signal, () => fail(signal.reason));
    link.metadata().then((metadata) => {
      if (isOver) return;
      try {
        call = start(metadata, (error) => (error === null ? settle(resolve) : fail(error)));
      } catch (error) {
        fail(error);
      }
    }, fail);
  });
}
