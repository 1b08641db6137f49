import { Client, type ClientUnaryCall, type StatusObject } from "@grpc/grpc-js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type {
  InspectedMessage,
  Inspection,
  MessageSelection,
  QueueCounts,
  ReplayOptions,
} from "../../src/ports/inspection.js";
import { onAbort } from "../../src/util/abort.js";
import { fromStatus } from "./call-errors.js";
import type { CountsResponse__Output } from "./gen/fairlead/v1/CountsResponse.js";
import type { InspectedMessage__Output } from "./gen/fairlead/v1/InspectedMessage.js";
import type { InspectionClient as GeneratedClient } from "./gen/fairlead/v1/Inspection.js";
import type { RemoveResponse__Output } from "./gen/fairlead/v1/RemoveResponse.js";
import type { ReplayProgress__Output } from "./gen/fairlead/v1/ReplayProgress.js";
import type { UpdateResponse__Output } from "./gen/fairlead/v1/UpdateResponse.js";
import { fromWireCounts, fromWireInspected, toWireSelection } from "./inspection-mapping.js";
import { loadInspection } from "./proto.js";
import { type ClientSecurityOptions, resolveClientSecurity, secureClient } from "./security/client-security.js";

export interface InspectionClientOptions extends ClientSecurityOptions {
  /** `host:port` of a server, an IPv6 host in brackets. */
  readonly address: string;
  /** The longest that counts, browse with all its messages, remove and update may take, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number | undefined;
}

/** The queues behind a server, through its fairlead.v1.Inspection. `""` is the queue of its events, `".dead"` their dead letters. */
export interface InspectionClient extends Inspection {
  /** Ends what is under way, and the connection. */
  close(): void;
}

/** Throws `INVALID_ARGUMENT` for security options that are at fault. */
export function createInspectionClient(options: InspectionClientOptions): InspectionClient {
  return new GrpcInspectionClient(options);
}

/** What every rpc is called with, beside its request. */
interface CallLimits {
  readonly deadline?: number;
}

type Streamed = NodeJS.ReadableStream & { cancel(): void };

class GrpcInspectionClient implements InspectionClient {
  readonly #client: GeneratedClient;
  readonly #timeoutMs: number;

  constructor({ address, timeoutMs = 30_000, ...security }: InspectionClientOptions) {
    this.#timeoutMs = timeoutMs;
    const faults: string[] = [];
    const resolved = resolveClientSecurity(security, [address], faults);
    if (faults.length > 0) throw new MessagingError("INVALID_ARGUMENT", `inspection client: ${faults.join("; ")}`);
    const { credentials, options } = secureClient(resolved, address, "inspection client");
    this.#client = new (loadInspection())(address, credentials, {
      ...options,
      "grpc.keepalive_time_ms": 10_000,
      "grpc.keepalive_timeout_ms": 3_000,
      "grpc.max_receive_message_length": -1,
      "grpc.use_local_subchannel_pool": 1,
    });
  }

  async counts(queue: string): Promise<QueueCounts> {
    const counts = await this.#unary<CountsResponse__Output>("counts", undefined, (limits, done) =>
      this.#client.Counts({ queue }, limits, done),
    );
    return fromWireCounts(counts);
  }

  async browse(queue: string, selection: MessageSelection = {}): Promise<readonly InspectedMessage[]> {
    const found: InspectedMessage[] = [];
    const request = { queue, selection: toWireSelection(selection) };
    const stream = this.#client.Browse(request, { deadline: Date.now() + this.#timeoutMs });
    await this.#read(stream, "browse", selection.signal, (message: InspectedMessage__Output) => {
      found.push(fromWireInspected(message));
    });
    return found;
  }

  async remove(queue: string, selection: MessageSelection, as: "removed" | "processed" = "removed"): Promise<number> {
    const request = { queue, selection: toWireSelection(selection), asProcessed: as === "processed" };
    const { removed } = await this.#unary<RemoveResponse__Output>("remove", selection.signal, (limits, done) =>
      this.#client.Remove(request, limits, done),
    );
    return Number(removed);
  }

  async replay(queue: string, options: ReplayOptions = {}): Promise<number> {
    const { to = "", mayMoveTo, ratePerSecond = 0, onMoved, signal } = options;
    if (mayMoveTo !== undefined) {
      throw new MessagingError(
        "UNSUPPORTED",
        "replay: mayMoveTo cannot be asked by the server; its tokens say what it may",
      );
    }
    let moved = 0;
    const stream = this.#client.Replay({ queue, selection: toWireSelection(options), to, ratePerSecond });
    await this.#read(stream, "replay", signal, (progress: ReplayProgress__Output) => {
      const sofar = Number(progress.moved);
      if (sofar > moved) onMoved?.(sofar);
      moved = sofar;
    });
    return moved;
  }

  async update(queue: string, messageId: string, body: Uint8Array): Promise<boolean> {
    const { updated } = await this.#unary<UpdateResponse__Output>("update", undefined, (limits, done) =>
      this.#client.Update({ queue, messageId, body }, limits, done),
    );
    return updated;
  }

  close(): void {
    Client.prototype.close.call(this.#client);
  }

  #unary<Response>(
    what: string,
    signal: AbortSignal | undefined,
    start: (limits: CallLimits, done: (error: StatusObject | null, response?: Response) => void) => ClientUnaryCall,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      let forget = (): void => {};
      const call = start({ deadline: Date.now() + this.#timeoutMs }, (error, response) => {
        forget();
        if (error === null && response !== undefined) resolve(response);
        else reject(failureOf(error, what, signal));
      });
      forget = onAbort(signal, () => call.cancel());
    });
  }

  async #read<Response>(
    stream: Streamed,
    what: string,
    signal: AbortSignal | undefined,
    onResponse: (response: Response) => void,
  ): Promise<void> {
    const forget = onAbort(signal, () => stream.cancel());
    try {
      for await (const response of stream) onResponse(response as unknown as Response);
    } catch (error) {
      throw failureOf(error, what, signal);
    } finally {
      forget();
    }
  }
}

function failureOf(error: unknown, what: string, signal: AbortSignal | undefined): MessagingError {
  if (signal?.aborted) return new MessagingError("ABORTED", `${what}: aborted by its signal`, { cause: signal.reason });
  if (MessagingError.is(error)) return error;
  const status = error as StatusObject;
  const told = fromStatus(status, what);
  // The server says itself what was attempted, and of which queue.
  return status.details?.startsWith(`${what} `) ? new MessagingError(told.code, status.details) : told;
}
