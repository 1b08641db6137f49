import type { WireMessage } from "../../driver/driver.js";
import type { MessagingError } from "../../errors/messaging-error.js";
import type { NodeId } from "../../ports/broadcast.js";
import { FRAME_HEADER, numberIn } from "./frames.js";
import type { LifeWatch } from "./life-watch.js";

/** Who answers one call, as far as its client knows, and whether that is heard of. */
export class AnsweringNode {
  readonly #watch: LifeWatch;
  #node: NodeId | undefined;
  #run: string | undefined;
  #namedBy: NodeId | undefined;
  /** Who had said that it runs the call, and has not been heard of since. */
  #silent: NodeId | undefined;
  #version: string | undefined;
  /** Of a node that did not run it while another was said to. */
  refusal: MessagingError | undefined;

  constructor(watch: LifeWatch) {
    this.#watch = watch;
  }

  /** Its frames are numbered, and it says which calls it runs. */
  get isV5(): boolean {
    return this.#version === "V5";
  }

  /** The one that is listened to from its first response or end on. */
  get node(): NodeId | undefined {
    return this.#node;
  }

  /** Which of its runs, if the request was delivered again. */
  get run(): string | undefined {
    return this.#run;
  }

  /** Who answers, or says that the call runs there. */
  get present(): NodeId | undefined {
    return this.#node ?? this.#namedBy;
  }

  /** As `present`; without one, who was that last. */
  get last(): NodeId | undefined {
    return this.present ?? this.#silent;
  }

  /** Whether it has answered, and this is another. */
  isOther(node: NodeId): boolean {
    return this.#node !== undefined && this.#node !== node;
  }

  /** A frame of the call has come; until one of them binds, the version is that of the last. */
  speaks({ headers }: WireMessage): void {
    if (this.#node === undefined) this.#version = headers[FRAME_HEADER.version] ?? "V4";
  }

  /** The frame says that the call runs there. */
  seen(node: NodeId, { headers }: WireMessage): void {
    if (this.#node === undefined) this.#namedBy = node;
    if (!this.isV5) return;
    const intervalMs = numberIn(headers, FRAME_HEADER.aliveMs, 1);
    // Nothing comes after the last frame; if something is missing, that is asked for, and watched.
    if (headers[FRAME_HEADER.totalResponses] === undefined) this.#watch.sign(intervalMs);
    else this.#watch.note(intervalMs);
  }

  /** An Alive says so. */
  named(node: NodeId, intervalMs: number): void {
    if (this.#node === undefined) {
      this.#namedBy = node;
      this.#version = "V5";
    }
    this.#watch.sign(intervalMs);
  }

  /** It has answered. Returns whether it had before, then or in another run. */
  bind(node: NodeId, { headers }: WireMessage): "new" | "same" | "other-run" {
    const run = headers[FRAME_HEADER.run];
    if (this.#node !== undefined) return run === this.#run ? "same" : "other-run";
    this.#node = node;
    this.#run = run;
    // Whoever spoke so far is not the one that is listened to.
    if (this.#namedBy !== node) this.#watch.forget();
    return "new";
  }

  /** It will not run the call. True: that is all that it means, for the call is said to run elsewhere. */
  refused(node: NodeId, refusal: MessagingError): boolean {
    if (this.#namedBy === undefined || this.#namedBy === node) return false;
    this.refusal = refusal;
    return true;
  }

  /** Who had named the call has not been heard of for too long. */
  fellSilent(): void {
    this.#silent = this.#namedBy;
    this.#namedBy = undefined;
  }
}
