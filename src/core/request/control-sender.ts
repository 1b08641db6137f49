import type { WireMessage } from "../../driver/driver.js";
import type { NodeId } from "../../ports/broadcast.js";
import { Ring } from "../../util/ring.js";
import type { CoreContext } from "../core-context.js";
import type { ClosingOf } from "./closing-marks.js";
import { FrameLink } from "./frame-link.js";
import { encodeClosing, FRAME, FRAME_HEADER, JSON_TYPE, toFrame } from "./frames.js";
import { type ResumeOf, resumeHeaders } from "./resume-frame.js";

export interface AbortOf {
  readonly sink: string;
  readonly id: string;
  /** Undefined: nobody has answered yet, so to all. */
  readonly node: NodeId | undefined;
}

export interface CreditOf {
  readonly sink: string;
  readonly id: string;
  readonly node: NodeId;
  /** Which of the node's runs of the request, if it was delivered again. */
  readonly run: string | undefined;
  readonly consumed: number;
  readonly grantedUpTo: number;
}

/** A call that has credit to give. */
export interface CreditSource {
  readonly credit: CreditOf | undefined;
}

/** A call that asks its server to answer in this inbox. */
export interface ResumeSource {
  /** Undefined: there is nothing to be asked for any more. */
  readonly resume: (ResumeOf & { readonly sink: string; readonly id: string; readonly node: NodeId }) | undefined;
}

const MAX_UNSENT_ABORTS = 10_000;

/** The broadcast that carries credit and aborts to the servers of a sink. */
export function controlName(sink: string): string {
  return `${sink}.control`;
}

/** Credit, aborts and Resumes, from this client to the node that runs the call. Best effort: what is lost is sent again when asked. */
export class ControlSender {
  readonly #context: CoreContext;
  readonly #clientId: string;
  readonly #frames: FrameLink;
  /** Calls whose credit found no room; the newest is what will be sent. */
  readonly #unsent = new Set<CreditSource>();
  /** Calls whose Resume found no room. */
  readonly #unsentResumes = new Set<ResumeSource>();
  /** Aborts that found no room, the oldest first. */
  readonly #unsentAborts = new Ring<AbortOf>();

  constructor(context: CoreContext, clientId: string) {
    this.#context = context;
    this.#clientId = clientId;
    this.#frames = new FrameLink(
      context.connection,
      () => this.#flush(),
      (frame, error) => this.#onRefused(frame, error),
    );
    context.connection.onLink.add(() => this.#flush());
  }

  credit(source: CreditSource): void {
    if (!this.#frames.hasRoom) {
      // Without a link there is nobody to give it to any more.
      if (this.#frames.link !== undefined) this.#unsent.add(source);
      return;
    }
    const { credit } = source;
    if (credit === undefined) return;
    const headers: Record<string, string> = {
      [FRAME_HEADER.client]: this.#clientId,
      [FRAME_HEADER.consumed]: String(credit.consumed),
      [FRAME_HEADER.grantedUpTo]: String(credit.grantedUpTo),
    };
    if (credit.run !== undefined) headers[FRAME_HEADER.run] = credit.run;
    this.#send(credit.sink, credit.node, FRAME.credit, credit.id, headers);
  }

  /** What waits for room. */
  get unsent(): number {
    return this.#unsent.size + this.#unsentResumes.size + this.#unsentAborts.size;
  }

  resume(source: ResumeSource): void {
    if (!this.#frames.hasRoom) {
      // Without a link there is no inbox either, and with the next there will be another Resume.
      if (this.#frames.link !== undefined) this.#unsentResumes.add(source);
      return;
    }
    const { resume } = source;
    if (resume === undefined) return;
    const headers = resumeHeaders(resume);
    headers[FRAME_HEADER.client] = this.#clientId;
    this.#send(resume.sink, resume.node, FRAME.resume, resume.id, headers);
  }

  forget(source: CreditSource): void {
    this.#unsent.delete(source);
  }

  forgetResume(source: ResumeSource): void {
    this.#unsentResumes.delete(source);
  }

  /** Nothing of these calls need be kept. Not sent without room: whoever keeps them asks again. */
  closing({ sink, node, ids }: ClosingOf): void {
    if (!this.#frames.hasRoom) return;
    const headers = { [FRAME_HEADER.client]: this.#clientId, [FRAME_HEADER.closing]: "true" };
    this.#send(sink, node, FRAME.credit, this.#clientId, headers, encodeClosing([...ids]));
  }

  abort(abort: AbortOf): void {
    if (!this.#frames.hasRoom) {
      this.#unsentAborts.push(abort);
      // What is dropped here is healed by the client's answer to whatever its server sends.
      if (this.#unsentAborts.size > MAX_UNSENT_ABORTS) this.#unsentAborts.shift();
      return;
    }
    const { sink, id, node } = abort;
    this.#send(sink, node, FRAME.abort, id, { [FRAME_HEADER.client]: this.#clientId });
  }

  #send(
    sink: string,
    node: NodeId | undefined,
    type: string,
    id: string,
    headers: Record<string, string>,
    body?: Uint8Array,
  ): void {
    const { clock, nodeId, driver, servers } = this.#context;
    const contentType = body === undefined ? undefined : JSON_TYPE;
    const frame = toFrame({ type, correlationId: id, headers, contentType, body, timestamp: clock.now() });
    this.#frames.send({ kind: "broadcast", name: controlName(sink), node }, frame);
    // Where a node does not hear itself, its own servers are told directly.
    const isForUs = node === undefined || node === nodeId;
    if (!isForUs || driver.capabilities.broadcast.loopback) return;
    for (const server of servers.get(sink) ?? []) server.hear(frame);
  }

  #flush(): void {
    for (let left = this.#unsentAborts.size; left > 0 && this.#frames.hasRoom; left -= 1) {
      const unsent = this.#unsentAborts.shift();
      if (unsent !== undefined) this.abort(unsent);
    }
    for (const source of this.#unsentResumes) {
      if (!this.#frames.hasRoom) return;
      this.#unsentResumes.delete(source);
      this.resume(source);
    }
    for (const source of this.#unsent) {
      if (!this.#frames.hasRoom) return;
      this.#unsent.delete(source);
      this.credit(source);
    }
  }

  #onRefused(frame: WireMessage, error: unknown): void {
    const { observe, driver } = this.#context;
    const reason = `a ${frame.type} was refused: ${driver.toMessagingError(error).message}`;
    observe({ type: "discarded", source: "control", reason, messageId: frame.messageId });
  }
}
