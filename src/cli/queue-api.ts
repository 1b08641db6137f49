import {
  type ClientSecurityOptions,
  createQueueApiClient,
  type EventMsg,
  type EventMsg__Output,
} from "../../adapters/grpc/index.js";
import { onAbort } from "../util/abort.js";
import { CallFailed } from "./call-failed.js";

interface CallLimits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** queue.QueueApi of one server, with promises. Every call rejects with `CallFailed`. */
export class QueueApi {
  readonly #client: ReturnType<typeof createQueueApiClient>;

  constructor(server: string, security: ClientSecurityOptions) {
    this.#client = createQueueApiClient(server, security);
  }

  post(event: EventMsg, limits: CallLimits): Promise<void> {
    return unary(limits, (options, done) => this.#client.PostEvent(event, options, done));
  }

  ack(userToken: string, success: boolean, limits: CallLimits): Promise<void> {
    return unary(limits, (options, done) => this.#client.Ack({ userToken, success }, options, done));
  }

  /** Ends the client's stream. */
  closeClient(clientId: string, limits: CallLimits): Promise<void> {
    return unary(limits, (options, done) => this.#client.Close({ clientId }, options, done));
  }

  /**
   * The client's events, until its stream ends: with OK by returning, otherwise by throwing. `onLive` is called once the
   * server has answered.
   */
  async *subscribe(clientId: string, signal: AbortSignal, onLive: () => void): AsyncGenerator<EventMsg__Output> {
    const stream = this.#client.SubscribeEvents({ clientId });
    stream.once("metadata", onLive);
    const forget = onAbort(signal, () => stream.cancel());
    try {
      for await (const event of stream) yield event as EventMsg__Output;
    } catch (error) {
      throw CallFailed.of(error);
    } finally {
      forget();
      stream.cancel();
    }
  }

  /** Ends what is under way, and the connection. */
  end(): void {
    this.#client.close();
  }
}

type Done = (error: Error | null) => void;

function unary(
  { timeoutMs, signal }: CallLimits,
  start: (options: { readonly deadline: number }, done: Done) => { cancel(): void },
): Promise<void> {
  return new Promise((resolve, reject) => {
    let forget = (): void => {};
    const call = start({ deadline: Date.now() + timeoutMs }, (error) => {
      forget();
      if (error === null) resolve();
      else reject(CallFailed.of(error));
    });
    forget = onAbort(signal, () => call.cancel());
  });
}
