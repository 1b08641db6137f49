import type { Clock, Random } from "../ports/clock.js";
import type { Messaging } from "../ports/messaging.js";
import type { Observer } from "../ports/observer.js";
import type { AckOutcome } from "./ack-outcome.js";
import { Answers } from "./answers.js";
import { ControlChannel } from "./control-channel.js";
import { type ControlMessage, controlName } from "./control-message.js";
import { DoneEvents } from "./done-events.js";
import { Enquiries } from "./enquiries.js";
import type { EventTally } from "./event-counts.js";
import { textFault } from "./event-message.js";
import { ForeignAcks } from "./foreign-acks.js";
import type { ResolvedEventOptions } from "./options.js";

/** What this server does for the others. */
export interface OwnPart {
  /** Whether the token is one of this server's. */
  gave(token: string): boolean;
  ack(token: string, success: boolean): Promise<string>;
  settleDone(identity: string): Promise<boolean> | undefined;
  /** Whether the client has a stream that came at least so long ago. */
  holds(clientId: string, ageMs: number): boolean;
  /** Ends those. Must not reject. */
  closeClient(clientId: string, ageMs: number): Promise<void>;
}

export interface OtherServersOptions {
  readonly messaging: Messaging;
  readonly events: ResolvedEventOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly observe: Observer;
  readonly tally: EventTally;
  readonly own: OwnPart;
}

/** The servers that share the queue of events: what is asked of them, and what they ask. Opens nothing until it is used. */
export class OtherServers {
  /** What is done although the broker has not been told. */
  readonly done: DoneEvents;
  readonly #options: OtherServersOptions;
  readonly #channel: ControlChannel;
  readonly #enquiries: Enquiries;
  readonly #answers: Answers;
  readonly #acks: ForeignAcks;

  constructor(options: OtherServersOptions) {
    this.#options = options;
    const { messaging, events, clock, random, observe, own, tally } = options;
    const { queue, ackForwardIntervalMs: intervalMs, doneMemoryMs: memoryMs } = events;
    const name = controlName(queue);
    const onMessage = (message: ControlMessage): void => this.#receive(message);
    const channel = new ControlChannel({ messaging, name, clock, random, observe, onMessage });
    const enquiries = new Enquiries({ channel, clock, random, intervalMs });
    this.done = new DoneEvents({ channel, clock, random, observe, memoryMs });
    this.#channel = channel;
    this.#enquiries = enquiries;
    this.#answers = new Answers(channel);
    this.#acks = new ForeignAcks({
      nodeId: messaging.nodeId,
      queue,
      store: messaging.capabilities.inspection === "all" ? messaging.inspection : undefined,
      enquiries,
      done: this.done,
      tally,
      observe,
      forwardIntervalMs: intervalMs,
      forwardTimeoutMs: events.ackForwardTimeoutMs,
      settleHere: (identity) => own.settleDone(identity),
    });
  }

  /** From now on they are heard, until `close`. */
  listen(): void {
    this.#channel.listen();
  }

  /** Of an event that one of them delivered, or that this one delivered before it was started anew. Always resolves. */
  ack(token: string, success: boolean): Promise<AckOutcome> {
    return this.#acks.ack(token, success);
  }

  /** Resolves once the one that holds the client has closed it, or when no answer has come in time. */
  async closeClient(clientId: string): Promise<void> {
    // Such an id no server can hold.
    if (textFault("the client id", clientId) !== undefined) return;
    const { events, messaging } = this.#options;
    const { nodeId: from } = messaging;
    await this.#enquiries.ask((id, ageMs) => ({ kind: "close", id, from, clientId, ageMs }), {
      node: undefined,
      limitMs: events.closeForwardTimeoutMs,
    });
  }

  /** Nothing is asked or answered any more. Never rejects. */
  async close(): Promise<void> {
    const closing = this.#channel.close();
    this.#enquiries.close();
    await closing;
  }

  #receive(message: ControlMessage): void {
    if (message.kind === "ack") this.#receiveAck(message);
    else if (message.kind === "close") this.#receiveClose(message);
    else if (message.kind === "answer") this.#enquiries.answered(message.id, message.outcome);
    else if (!this.done.isOwn(message.from)) for (const identity of message.events) this.#receiveDone(identity);
  }

  #receiveAck({ id, from, token, success }: Extract<ControlMessage, { readonly kind: "ack" }>): void {
    const { own } = this.#options;
    if (own.gave(token)) void this.#answers.give(id, from, () => own.ack(token, success));
  }

  #receiveClose({ id, from, clientId, ageMs }: Extract<ControlMessage, { readonly kind: "close" }>): void {
    const { own } = this.#options;
    // A node may hear itself.
    if (this.#enquiries.has(id) || !(this.#answers.knows(id) || own.holds(clientId, ageMs))) return;
    void this.#answers.give(id, from, async () => {
      await own.closeClient(clientId, ageMs);
      return "closed";
    });
  }

  #receiveDone(identity: string): void {
    this.done.add(identity);
    void this.#options.own.settleDone(identity);
  }
}
