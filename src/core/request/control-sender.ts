import type { WireMessage } from "../../driver/driver.js";
import type { NodeId } from "../../ports/broadcast.js";
import { Ring } from "../../util/ring.js";
import type { CoreContext } from "../core-context.js";
import { FrameLink } from "./frame-link.js";
import { FRAME, FRAME_HEADER, toFrame } from "./frames.js";

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

const MAX_UNSENT_ABORTS = 10_000;

/** The broadcast that carries credit and aborts to the servers of a sink. */
export function controlName(sink: string): string {
  return `${sink}.control`;
}

/** Credit and aborts, from this client to the node that runs the call. Best effort: what is lost is sent again when asked. */
export class ControlSender {
  readonly #context: CoreContext;
  readonly #clientId: string;
  readonly #frames: FrameLink;
  /** Calls whose credit found no room; the newest is what will be sent. */
  readonly #unsent = new Set<CreditSource>();
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

  forget(source: CreditSource): void {
    this.#unsent.delete(source);
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

  #send(sink: string, node: NodeId | undefined, type: string, id: string, headers: Record<string, string>): void {
    const { clock, nodeId, driver, servers } = this.#context;
    const frame = toFrame({ type, correlationId: id, headers, timestamp: clock.now() });
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
