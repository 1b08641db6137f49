import { MessagingError } from "../../src/errors/messaging-error.js";
import { onAbort } from "../../src/util/abort.js";
import { machineClock } from "../../src/util/machine-clock.js";
import {
  type AskedCredentials,
  askForCredentials,
  type CredentialsTerm,
  type RabbitmqCredentialsSource,
  termOf,
} from "./credentials.js";
import type { Link } from "./link.js";

/** Part of their life after which credentials are renewed, so that there is time for a second and a third try. */
const RENEW_PART = 0.75;
const RETRY_PART = 0.05;
/** What lives for a moment only must not become a busy loop. */
const LEAST_WAIT_MS = 250;

export interface CredentialRenewalOptions {
  readonly source: RabbitmqCredentialsSource;
  /** Of those that the links were opened with. */
  readonly current: CredentialsTerm;
  readonly links: readonly Pick<Link, "blocked" | "updateSecret">[];
  /** For the source, and for the broker. */
  readonly timeoutMs: number;
  /** Told each outcome; undefined: renewed. With a warning: not yet. */
  onRenewed(error: unknown, warning?: string): void;
  /** Only a new connection helps: they name another user, or a link is silent. */
  onDead(error: MessagingError): void;
}

/** Renews the credentials of live links before they expire. What fails is tried again, for as long as the links live. */
export class CredentialRenewal {
  readonly #options: CredentialRenewalOptions;
  readonly #over = new AbortController();
  #current: CredentialsTerm;
  #cancel: () => void = () => {};
  #isPutOff = false;

  constructor(options: CredentialRenewalOptions) {
    this.#options = options;
    this.#current = options.current;
    this.#renewIn(RENEW_PART, this.#current.answeredAt);
  }

  stop(): void {
    this.#cancel();
    this.#over.abort();
  }

  /** After this part of their life, from this time on. */
  #renewIn(part: number, from: number): void {
    const { expiresInMs } = this.#current;
    if (expiresInMs === undefined || this.#over.signal.aborted) return;
    const ms = from + expiresInMs * part - machineClock.now();
    this.#cancel = machineClock.setTimer(Math.max(LEAST_WAIT_MS, ms), () => void this.#renew());
  }

  #retry(): void {
    this.#renewIn(RETRY_PART, machineClock.now());
  }

  async #renew(): Promise<void> {
    const { links, timeoutMs, onRenewed } = this.#options;
    // A blocked link hears nothing: what is sent there would pile up.
    if (links.some(({ blocked }) => blocked)) {
      if (!this.#isPutOff) onRenewed(undefined, "not renewed while the broker takes no publishes (an alarm)");
      this.#isPutOff = true;
      this.#retry();
      return;
    }
    this.#isPutOff = false;
    // With a timer of its own: Node may collect the signal of AbortSignal.timeout before it fires.
    const attempt = new AbortController();
    const forget = onAbort(this.#over.signal, () => attempt.abort());
    const cancel = machineClock.setTimer(timeoutMs, () =>
      attempt.abort(new MessagingError("UNAVAILABLE", `the credentials were not renewed within ${timeoutMs} ms`)),
    );
    try {
      await this.#renewOnce(attempt.signal);
    } catch (error) {
      if (this.#over.signal.aborted) return;
      onRenewed(error);
      this.#retry();
    } finally {
      cancel();
      forget();
    }
  }

  async #renewOnce(signal: AbortSignal): Promise<void> {
    const { source, links, onRenewed, onDead } = this.#options;
    const fresh: AskedCredentials = await askForCredentials(source, signal);
    if (fresh.username !== this.#current.username) {
      onDead(new MessagingError("UNAVAILABLE", "the credentials are another user's now: connecting anew"));
      return;
    }
    try {
      await Promise.all(links.map((link) => link.updateSecret(fresh.password, signal)));
    } catch (error) {
      if (!signal.aborted || this.#over.signal.aborted) throw error;
      // An answer that still came could not be told from the answer to another try.
      onDead(new MessagingError("UNAVAILABLE", "the broker did not take the new credentials in time: connecting anew"));
      return;
    }
    if (this.#over.signal.aborted) return;
    this.#current = termOf(fresh);
    onRenewed(undefined);
    this.#renewIn(RENEW_PART, fresh.answeredAt);
  }
}
