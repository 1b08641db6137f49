import { MessagingError } from "../../errors/messaging-error.js";
import type { ResponseFrames } from "./response-frames.js";
import type { ResumeOf } from "./resume-frame.js";

/** Something that waits for room on the link. */
export interface Waiting {
  /** There may be room now. */
  pump(): void;
}

export interface EndedCallHost {
  now(): number;
  /** It may have more to say than before, or less. */
  onChange(call: EndedCall): void;
}

/** A call that is over at its server, for as long as its caller may have missed the end. */
export class EndedCall implements Waiting {
  readonly frames: ResponseFrames;
  readonly endedAt: number;
  readonly #host: EndedCallHost;

  constructor(frames: ResponseFrames, host: EndedCallHost) {
    this.frames = frames;
    this.#host = host;
    this.endedAt = host.now();
    host.onChange(this);
  }

  pump(): void {
    this.#after(() => this.frames.pump(this.#host.now()));
  }

  resume(resume: ResumeOf): void {
    this.#after(() => this.frames.resume(resume, this.#host.now()));
  }

  /** There is a new link. */
  repeat(): void {
    this.#after(() => this.frames.repeat(this.#host.now()));
  }

  #after(change: () => void): void {
    change();
    if (this.frames.isBroken) this.frames.finish(lostError(), true);
    this.#host.onChange(this);
  }
}

/** What the caller has missed is not kept any more. */
export function lostError(): MessagingError {
  return new MessagingError("DATA_LOSS", "responses were lost, and the server does not keep them any more");
}
