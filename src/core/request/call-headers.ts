import type { MessageHeaders } from "../../ports/message.js";
import { FRAME_HEADER } from "./frames.js";
import type { KeptRequest } from "./incoming-request.js";

/** What every frame of one call to its caller says beside its own, and by which of them the call was named first. */
export class CallHeaders {
  readonly #version: string;
  readonly #run: string | undefined;
  readonly #aliveMs: number;
  /** Of the newest Resume that was heard; 0 for none. */
  resume = 0;
  /** What has named the call first; of an Alive its id. */
  #first: "own" | "upload" | { readonly alive: string } | undefined;
  #isFirst = true;

  constructor({ version }: KeptRequest, run: string | undefined, aliveMs: number) {
    this.#version = version;
    this.#run = run;
    this.#aliveMs = aliveMs;
  }

  /**
   * For the next frame. The first of a call says how often it will be named: a server may die before the first Alive. Those
   * that answer a Resume say it again: that one may have been lost.
   */
  make(user: MessageHeaders | undefined): Record<string, string> {
    const headers: Record<string, string> = { ...user, [FRAME_HEADER.version]: this.#version };
    if (this.#run !== undefined) headers[FRAME_HEADER.run] = this.#run;
    if (this.resume > 0) {
      headers[FRAME_HEADER.resume] = String(this.resume);
      headers[FRAME_HEADER.aliveMs] = String(this.#aliveMs);
    }
    if (this.#isFirst && this.#version === "V5") {
      this.#isFirst = false;
      this.#first ??= "own";
      headers[FRAME_HEADER.aliveMs] = String(this.#aliveMs);
    }
    return headers;
  }

  /** The caller was asked to upload. */
  askedForUpload(): void {
    this.#first ??= "upload";
  }

  namedBy(alive: string): void {
    this.#first ??= { alive };
  }

  /** Whether it was sent since the newest Resume. */
  isPresent(headers: MessageHeaders): boolean {
    return (headers[FRAME_HEADER.resume] ?? "0") === String(this.resume);
  }

  /** Whether nothing has named the call before the frame with these headers. */
  isFirst(headers: MessageHeaders): boolean {
    return this.#first === "own" && headers[FRAME_HEADER.aliveMs] !== undefined && this.resume === 0;
  }

  /** Whether nothing else has named the call than this Alive. */
  isFirstAlive(alive: string): boolean {
    const isFirst = typeof this.#first === "object" && this.#first.alive === alive;
    return isFirst && this.#isFirst && this.resume === 0;
  }
}
