import type { ServerWritableStream } from "@grpc/grpc-js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { EventService } from "../../src/events/index.js";
import type { Clock } from "../../src/ports/clock.js";
import type { Inspection } from "../../src/ports/inspection.js";
import { onAbort } from "../../src/util/abort.js";
import { toEventStatus } from "./event-errors.js";
import type { InspectionHandlers } from "./gen/fairlead/v1/Inspection.js";
import type { ReplayProgress } from "./gen/fairlead/v1/ReplayProgress.js";
import type { ReplayRequest__Output } from "./gen/fairlead/v1/ReplayRequest.js";
import { fromWireSelection, toWireCounts, toWireInspected } from "./inspection-mapping.js";
import { mayCallerUse } from "./security/caller.js";
import { StreamEnd } from "./stream-end.js";
import type { StrictRequests } from "./strict-requests.js";
import type { DrainOptions } from "./subscriber-streams.js";
import type { UnaryCalls } from "./unary-calls.js";
import { within } from "./within.js";

export interface InspectionApiOptions {
  readonly events: EventService;
  readonly clock: Clock;
  readonly requests: StrictRequests;
  readonly unary: UnaryCalls;
}

interface ReplayCall {
  write(this: void, progress: ReplayProgress): Promise<boolean>;
  readonly signal: AbortSignal;
  mayMoveTo(this: void, queue: string): boolean;
}

/** Each may hold what it shows, and two on one queue see only a part of it each. */
const MAX_RUNNING = 4;

/** fairlead.v1.Inspection on what the broker behind an event service lets operators see. */
export class InspectionApi {
  readonly #options: InspectionApiOptions;
  readonly #draining = new AbortController();
  readonly #streams = new Set<Promise<void>>();
  #running = 0;

  constructor(options: InspectionApiOptions) {
    this.#options = options;
  }

  handlers(): InspectionHandlers {
    const { unary } = this.#options;
    return {
      Counts: unary.handler(async ({ request }) =>
        toWireCounts(await this.#inspection.counts(this.queueOf(request.queue))),
      ),
      Browse: (call) =>
        this.#stream(call, async (write, signal) => {
          const { queue, selection } = call.request;
          const chosen = { ...fromWireSelection(selection), signal };
          const found = await this.#inspection.browse(this.queueOf(queue), chosen);
          for (const message of found) {
            if (!(await write(toWireInspected(message)))) return;
          }
        }),
      Remove: unary.cancellable(async ({ request }, cancelled) => {
        const { queue, selection, asProcessed } = request;
        if (selection === null) throw new MessagingError("INVALID_ARGUMENT", "there is no selection in the request");
        const chosen = { ...fromWireSelection(selection), signal: this.#orDraining(cancelled) };
        const as = asProcessed ? "processed" : "removed";
        return { removed: String(await this.#one(() => this.#inspection.remove(this.queueOf(queue), chosen, as))) };
      }),
      Replay: (call) => {
        // Without a queue to move to, each message says where: that was not to be seen in the request.
        const mayMoveTo = (name: string): boolean => mayCallerUse(call.metadata, "admin", name);
        this.#stream(call, (write, signal) => this.#replay(call.request, { write, signal, mayMoveTo }));
      },
      Update: unary.handler(async ({ request: { queue, messageId, body } }) => ({
        updated: await this.#inspection.update(this.queueOf(queue), messageId, body),
      })),
    };
  }

  /** Ends what runs: it can be repeated elsewhere. Resolves when it has given back what it held. */
  async drain({ drainMs, signal }: DrainOptions): Promise<void> {
    this.#draining.abort();
    await within(this.#options.clock, drainMs, Promise.all(this.#streams), signal);
  }

  async #replay(
    { queue, selection, to, ratePerSecond }: ReplayRequest__Output,
    { write, signal, mayMoveTo }: ReplayCall,
  ): Promise<void> {
    // One report is under way at a time: what comes meanwhile is told with the next.
    let isTelling = false;
    const onMoved = (moved: number): void => {
      if (isTelling) return;
      isTelling = true;
      void write({ moved: String(moved) }).then(() => {
        isTelling = false;
      });
    };
    const moved = await this.#inspection.replay(this.queueOf(queue), {
      ...fromWireSelection(selection),
      ...(to === "" ? {} : { to }),
      mayMoveTo,
      ...(ratePerSecond === 0 ? {} : { ratePerSecond }),
      onMoved,
      signal,
    });
    await write({ moved: String(moved) });
  }

  #stream<Request extends object, Response>(
    call: ServerWritableStream<Request, Response>,
    run: (write: (response: Response) => Promise<boolean>, signal: AbortSignal) => Promise<void>,
  ): void {
    const ending = new StreamEnd(call);
    const over = this.#orDraining(ending.gone);
    const write = (response: Response): Promise<boolean> =>
      new Promise((resolve) => {
        if (ending.hasBegun) return resolve(false);
        // The library forgets the callbacks of a cancelled call; and a reader that stands still must not hold up a drain.
        const forget = onAbort(over, () => resolve(false));
        call.write(response, (error: Error | null | undefined) => {
          forget();
          resolve(error === null || error === undefined);
        });
      });
    const work = async (): Promise<void> => {
      this.#options.requests.check(call.request);
      await run(write, over);
      if (this.#draining.signal.aborted) throw new MessagingError("ABORTED", "not all was told");
    };
    const running = this.#one(work).then(
      () => void ending.finish(),
      (error: unknown) => void ending.fail(toEventStatus(error)),
    );
    this.#streams.add(running);
    void running.then(() => this.#streams.delete(running));
  }

  /** One of a few at a time. What a drain ended says so: to clients it is a server that goes away. */
  async #one<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= MAX_RUNNING) {
      throw new MessagingError(
        "REJECTED",
        `${MAX_RUNNING} operators are at work on this server already; try again later`,
      );
    }
    this.#running += 1;
    try {
      return await work();
    } catch (error) {
      if (!this.#draining.signal.aborted || !MessagingError.is(error, "ABORTED")) throw error;
      throw new MessagingError("UNAVAILABLE", `this server is shutting down: ${error.message}`, { cause: error });
    } finally {
      this.#running -= 1;
    }
  }

  #orDraining(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#draining.signal]);
  }

  /** The queue that a name in a request stands for. */
  queueOf(name: string): string {
    return name === "" || name === ".dead" ? `${this.#options.events.queue}${name}` : name;
  }

  get #inspection(): Inspection {
    const { inspection } = this.#options.events;
    if (inspection !== undefined) return inspection;
    throw new MessagingError(
      "UNSUPPORTED",
      "the broker behind this server shows no messages (its capability inspection is none): use its own tools",
    );
  }
}
