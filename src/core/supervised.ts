import type { DriverConnection, DriverResource } from "../driver/driver.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { Clock, Random } from "../ports/clock.js";
import { backoffMs } from "../util/backoff.js";
import { Ending } from "../util/ending.js";
import { Limit, pause } from "./limit.js";
import { type Link, type ManagedConnection, PROVEN_MS, RECONNECT } from "./managed-connection.js";

/** One life of a resource: from its creation on one link to its loss. */
export interface Life<R extends DriverResource> {
  readonly resource: R;
  /** Ends when this life is over. */
  readonly lost: Ending<MessagingError>;
  /** Ends this life, so that another begins: for a resource that failed in use. */
  end(error: unknown): void;
  /** Lets go of the link. To be called when nothing that came through this life is out any more. */
  detach(): void;
}

export interface SupervisedOptions<R extends DriverResource> {
  /** For the errors: "consume orders". */
  readonly what: string;
  readonly connection: ManagedConnection;
  readonly clock: Clock;
  readonly random: Random;
  toMessagingError(error: unknown): MessagingError;
  /** Makes the resource on a link. `lost` is this life's end, to be tied to all that comes through it. */
  create(connection: DriverConnection, onLost: (error: unknown) => void, lost: Ending<MessagingError>): Promise<R>;
  onLive(): void;
  /** A life has ended, or a try to begin one has failed; it is being made anew. */
  onRecovering(error: MessagingError): void;
  /** It cannot be made anew; there will be no further life. */
  onFailed(error: MessagingError): void;
}

/** One try to make the resource: a broker that says nothing must not hold up the recovery for ever. */
const CREATE_TIMEOUT_MS = 10_000;

/** What would not heal by trying again: the other side has to be changed first. */
const PERMANENT: ReadonlySet<string> = new Set(["ALREADY_EXISTS", "INVALID_ARGUMENT", "UNSUPPORTED"]);

/**
 * A consumer, subscription or inbox that is made anew after every loss: alone if it was lost alone, and on the next link
 * if the link was lost. Only what cannot heal ends it.
 */
export class Supervised<R extends DriverResource> {
  readonly #options: SupervisedOptions<R>;
  /** Ends with the first `stop`: the end of a start that is still under way, too. */
  readonly stopped = new Ending<MessagingError>();
  #life: Life<R> | undefined;
  #loop: Promise<void> = Promise.resolve();
  #lastError: MessagingError | undefined;
  /** A creation under way, and the end of one that came too late: a stop waits for both, since deliveries may come. */
  #creating: Promise<unknown> = Promise.resolve();
  #endOfLate: Promise<void> = Promise.resolve();

  constructor(options: SupervisedOptions<R>) {
    this.#options = options;
  }

  get life(): Life<R> | undefined {
    return this.#life;
  }

  /** Why it is not live, as far as that is known. */
  get lastError(): MessagingError | undefined {
    return this.#lastError ?? this.#options.connection.lastError;
  }

  /**
   * Resolves once live. Rejects by the limit, which must end with `stopped` too, or with what trying again does not heal;
   * then nothing is left.
   */
  async start(limit: Limit): Promise<void> {
    for (let failures = 1; ; failures += 1) {
      try {
        const life = await this.#begin(limit);
        this.#loop = this.#supervise(life);
        return;
      } catch (error) {
        limit.throwIfOver();
        const failure = this.#options.toMessagingError(error);
        if (!failure.retryable) throw failure;
        this.#recovering(failure);
        await pause(this.#options.clock, this.#wait(failures), limit);
      }
    }
  }

  /** Nothing comes through it after this resolves; what came may still be settled. Never rejects. */
  async stop(): Promise<void> {
    this.stopped.end(new MessagingError("CLOSED", `${this.#options.what}: closed`));
    await this.#loop;
    await this.#creating;
    await this.#endOfLate;
    await this.#life?.resource.stop();
  }

  /** The last step: lets go of the link. */
  detach(): void {
    this.#life?.detach();
    this.#life = undefined;
  }

  async #begin(limit: Limit): Promise<Life<R>> {
    const link = await this.#options.connection.acquire(limit);
    const lost = new Ending<MessagingError>();
    const lose = (error: unknown): void => lost.end(this.#options.toMessagingError(error));
    const detach = link.lost.onEnd(() => lose(link.lost.reason));
    lost.onEnd(detach);
    try {
      const creating = this.#options.create(link.connection, lose, lost);
      this.#creating = creating.catch(() => undefined);
      // Created after the limit fired or the link was lost: nobody wants it any more.
      const resource = await limit.race(this.#inTime(creating, link), (late) => this.#endLate(late));
      if (limit.error !== undefined) this.#endLate(resource);
      limit.throwIfOver();
      if (lost.hasEnded) {
        // A part of it may be there all the same.
        this.#endLate(resource);
        throw lost.reason;
      }
      const end = (error: unknown): void => {
        if (lost.hasEnded) return;
        lose(error);
        void resource.stop();
      };
      this.#life = { resource, lost, end, detach };
      this.#lastError = undefined;
      this.#options.onLive();
      return this.#life;
    } catch (error) {
      lose(error);
      // Whatever took the link down says nothing about this resource.
      if (!link.lost.hasEnded) throw error;
      throw new MessagingError("UNAVAILABLE", `${this.#options.what}: the link was lost`, { cause: link.lost.reason });
    }
  }

  /** Rejects when the link is lost or the try takes too long; what is created all the same is stopped. */
  #inTime(creating: Promise<R>, link: Link): Promise<R> {
    const { clock, what } = this.#options;
    const limit = new Limit({ clock, what, timeoutMs: CREATE_TIMEOUT_MS, ended: [link.lost] });
    return limit.race(creating, (late) => this.#endLate(late)).finally(() => limit.dispose());
  }

  #endLate(late: R): void {
    this.#endOfLate = late.stop();
  }

  async #supervise(first: Life<R>): Promise<void> {
    const { clock, what } = this.#options;
    const limit = new Limit({ clock, what, ended: [this.stopped] });
    let failures = 0;
    try {
      for (let life: Life<R> | undefined = first; ; ) {
        if (life !== undefined) {
          const since = clock.now();
          await limit.race(ended(life.lost));
          if (clock.now() - since >= PROVEN_MS) failures = 0;
          this.#life = undefined;
          this.#recovering(this.#options.toMessagingError(life.lost.reason));
        }
        // A lost link has its own back-off. A resource that is lost again and again while the link holds waits here.
        if (failures > 0) await pause(clock, this.#wait(failures), limit);
        failures += 1;
        life = await this.#tryBegin(limit);
      }
    } catch (error) {
      if (this.stopped.hasEnded) return;
      this.#options.onFailed(this.#options.toMessagingError(error));
    } finally {
      limit.dispose();
    }
  }

  async #tryBegin(limit: Limit): Promise<Life<R> | undefined> {
    try {
      return await this.#begin(limit);
    } catch (error) {
      limit.throwIfOver();
      const failure = this.#options.toMessagingError(error);
      if (PERMANENT.has(failure.code) || this.#options.connection.ended.hasEnded) throw failure;
      this.#recovering(failure);
      return undefined;
    }
  }

  #recovering(error: MessagingError): void {
    this.#lastError = error;
    this.#options.onRecovering(error);
  }

  #wait(failures: number): number {
    return backoffMs(failures, this.#options.random.fraction(), RECONNECT);
  }
}

function ended(ending: Ending<MessagingError>): Promise<void> {
  return new Promise((resolve) => {
    ending.onEnd(resolve);
  });
}
