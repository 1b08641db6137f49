import type { DriverInbox, WireMessage } from "../../driver/driver.js";
import { MessagingError } from "../../errors/messaging-error.js";
import type { Cancel } from "../../ports/clock.js";
import type { Ending } from "../../util/ending.js";
import type { CoreContext } from "../core-context.js";
import { STOP_TIMEOUT_MS, within } from "../drain.js";
import { Limit } from "../limit.js";
import { Supervised } from "../supervised.js";
import type { FrameLink } from "./frame-link.js";
import { FRAME, FRAME_HEADER, toFrame } from "./frames.js";

/** How long a probe may take. */
const PROBE_MS = 3_000;
/** A timer that fires so late says that the process stood still. */
const LATE_MS = 500;

/** One inbox, from its opening to its loss. */
export interface InboxLife {
  readonly address: string;
  readonly lost: Ending<MessagingError>;
}

export interface ClientInboxOptions {
  readonly context: CoreContext;
  readonly clientId: string;
  readonly frames: FrameLink;
  onFrame(frame: WireMessage): void;
  onLive(life: InboxLife): void;
  onLost(life: InboxLife): void;
  /** It could not be opened, or will not come back. The next `open` tries anew. */
  onFailed(error: MessagingError): void;
}

/** The inbox of one client: opened on first use, made anew after each loss. */
export class ClientInbox {
  readonly #options: ClientInboxOptions;
  #inbox: Supervised<DriverInbox> | undefined;
  #life: InboxLife | undefined;
  #state: "closed" | "opening" | "open" = "closed";
  #probe: { readonly number: string; readonly cancel: Cancel } | undefined;
  #probes = 0;

  constructor(options: ClientInboxOptions) {
    this.#options = options;
  }

  get life(): InboxLife | undefined {
    return this.#life;
  }

  open(): void {
    if (this.#state !== "closed") return;
    this.#state = "opening";
    const { clock, connection, connectTimeoutMs, driver } = this.#options.context;
    const inbox = this.#supervise();
    this.#inbox = inbox;
    const ended = [connection.ended, inbox.stopped];
    const lastError = (): unknown => inbox.lastError;
    const limit = new Limit({ clock, what: "open an inbox", timeoutMs: connectTimeoutMs, ended, lastError });
    inbox
      .start(limit)
      .then(
        () => {
          if (this.#state === "opening") this.#state = "open";
        },
        (error: unknown) => {
          this.#state = "closed";
          this.#options.onFailed(driver.toMessagingError(error));
        },
      )
      .finally(() => limit.dispose());
  }

  async close(): Promise<void> {
    this.#endProbe();
    const inbox = this.#inbox;
    if (inbox === undefined) return;
    // A broker that says nothing must not hold up the close.
    await within(this.#options.context.clock, inbox.stop(), STOP_TIMEOUT_MS);
    inbox.detach();
  }

  /** After a time-out without any sign of life: is the inbox still there? Only if not is it made anew. */
  probe(life: InboxLife): void {
    if (this.#probe !== undefined || this.#life !== life) return;
    const { context, clientId, frames } = this.#options;
    this.#probes += 1;
    const number = `probe-${this.#probes}`;
    this.#awaitProbe(life, number);
    const headers = { [FRAME_HEADER.client]: clientId };
    const frame = toFrame({ type: FRAME.probe, correlationId: number, headers, timestamp: context.clock.now() });
    frames.send({ kind: "inbox", address: life.address }, frame);
  }

  #awaitProbe(life: InboxLife, number: string): void {
    const { clock, connection } = this.#options.context;
    const due = clock.now() + PROBE_MS;
    const cancel = clock.setTimer(PROBE_MS, () => {
      this.#probe = undefined;
      if (this.#life !== life) return;
      // It waits behind the broker's own block, or this process stood still: its answer has not been read yet.
      const isHeldUp = connection.blocked || !this.#options.frames.hasRoom || clock.now() - due > LATE_MS;
      if (isHeldUp) this.#awaitProbe(life, number);
      else this.#inbox?.life?.end(new MessagingError("UNAVAILABLE", "the inbox no longer gets what is sent to it"));
    });
    this.#probe = { number, cancel };
  }

  #supervise(): Supervised<DriverInbox> {
    const { connection, clock, random, driver, observe } = this.#options.context;
    return new Supervised<DriverInbox>({
      what: "open an inbox",
      connection,
      clock,
      random,
      toMessagingError: (error) => driver.toMessagingError(error),
      create: (link, onLost, lost) => link.openInbox((frame) => this.#onFrame(frame, lost), onLost),
      onLive: () => this.#onLive(),
      onRecovering: (error) => observe({ type: "inbox", state: "recovering", error }),
      onFailed: (error) => {
        this.#state = "closed";
        this.#options.onFailed(error);
      },
    });
  }

  #onLive(): void {
    const { resource, lost } = this.#inbox?.life ?? {};
    if (resource === undefined || lost === undefined) return;
    const life: InboxLife = { address: resource.address, lost };
    this.#life = life;
    this.#options.context.observe({ type: "inbox", state: "live" });
    lost.onEnd(() => {
      if (this.#life === life) this.#life = undefined;
      this.#endProbe();
      this.#options.onLost(life);
    });
    this.#options.onLive(life);
  }

  #onFrame(frame: WireMessage, lost: Ending<MessagingError>): void {
    if (lost.hasEnded) return;
    if (frame.type !== FRAME.probe) this.#options.onFrame(frame);
    else if (frame.correlationId === this.#probe?.number) this.#endProbe();
  }

  #endProbe(): void {
    this.#probe?.cancel();
    this.#probe = undefined;
  }
}
