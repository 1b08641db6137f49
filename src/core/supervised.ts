import type { DriverConnection, DriverResource } from "../driver/driver.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { Clock, Random } from "../ports/clock.js";
import { backoffMs } from "../util/backoff.js";
import { Ending } from "../util/ending.js";
import { Limit, pause } from "./limit.js";
import { type Link, type ManagedConnection, RECONNECT } from "./managed-connection.js";

/** One life of a resource: from its creation on one link to its loss. */
export interface Life<R extends DriverResource> {
  readonly resource: R;
  /** Ends when this life is over. */
  readonly lost: Ending<MessagingError>;
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
  /** A life has ended, or a try to begin another has failed; it is being made anew. */
  onRecovering(error: MessagingError): void;
  /** It cannot be made anew; there will be no further life. */
  onFailed(error: MessagingError): void;
}

/** A life this long proves the resource; before that, losses count towards the back-off. */
const PROVEN_MS = 5_000;

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
  #lose: (error: unknown) => void = () => {};
  #loop: Promise<void> = Promise.resolve();

  constructor(options: SupervisedOptions<R>) {
    this.#options = options;
  }

  get life(): Life<R> | undefined {
    return this.#life;
  }

  /** Ends the present life, so that another begins: for a resource that failed in use. */
  lose(error: unknown): void {
    this.#lose(error);
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
        await pause(this.#options.clock, this.#wait(failures), limit);
      }
    }
  }

  /** Nothing comes through it after this resolves. Never rejects. */
  async stop(): Promise<void> {
    this.stopped.end(new MessagingError("CLOSED", `${this.#options.what}: closed`));
    await this.#loop;
    await this.#life?.resource.stop();
    this.#life = undefined;
  }

  async #begin(limit: Limit): Promise<Life<R>> {
    const link = await this.#options.connection.acquire(limit);
    const lost = new Ending<MessagingError>();
    const lose = (error: unknown): void => lost.end(this.#options.toMessagingError(error));
    lost.onEnd(link.lost.onEnd(() => lose(link.lost.reason)));
    try {
      const creating = this.#options.create(link.connection, lose, lost);
      // Created after the limit fired or the link was lost: nobody wants it any more.
      const resource = await limit.race(this.#unlessLost(creating, link), (late) => void late.stop());
      if (lost.hasEnded) throw lost.reason;
      this.#lose = lose;
      this.#life = { resource, lost };
      this.#options.onLive();
      return this.#life;
    } catch (error) {
      lose(error);
      throw error;
    }
  }

  /** A driver should reject when its link is lost; one that does not must not hold up the recovery. */
  #unlessLost(creating: Promise<R>, link: Link): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      const forget = link.lost.onEnd(() => reject(link.lost.reason));
      creating
        .then(resolve, reject)
        .finally(forget)
        .catch(() => undefined);
    });
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
          this.#options.onRecovering(this.#options.toMessagingError(life.lost.reason));
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
      this.#options.onRecovering(failure);
      return undefined;
    }
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
