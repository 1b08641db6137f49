import { randomUUID } from "node:crypto";
import type { WireMessage } from "../../src/driver/driver.js";
import type { NodeId } from "../../src/ports/broadcast.js";
import type { Turns } from "./turns.js";

/** The end of a channel without settlements: an inbox or a subscription. Passes on, in order, until it is closed. */
export class Receiver {
  readonly #turns: Turns;
  readonly #onMessage: (message: WireMessage) => void;
  #onClose: (() => void) | undefined;

  constructor(turns: Turns, onMessage: (message: WireMessage) => void, onClose: () => void) {
    this.#turns = turns;
    this.#onMessage = onMessage;
    this.#onClose = onClose;
  }

  receive(message: WireMessage): void {
    this.#turns.next(() => {
      if (this.#onClose !== undefined) this.#onMessage(message);
    });
  }

  close(): void {
    this.#onClose?.();
    this.#onClose = undefined;
  }
}

interface Listener {
  readonly node: NodeId;
  readonly receiver: Receiver;
}

/** Inboxes and broadcasts, among the nodes of this process. Nothing of them is stored. */
export class Channels {
  readonly #turns: Turns;
  readonly #inboxes = new Map<string, Receiver>();
  readonly #broadcasts = new Map<string, Set<Listener>>();

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  openInbox(onMessage: (message: WireMessage) => void): { readonly address: string; readonly receiver: Receiver } {
    const address = `inbox-${randomUUID()}`;
    const receiver = new Receiver(this.#turns, onMessage, () => this.#inboxes.delete(address));
    this.#inboxes.set(address, receiver);
    return { address, receiver };
  }

  subscribe(name: string, node: NodeId, onMessage: (message: WireMessage) => void): Receiver {
    const listeners = this.#broadcasts.get(name) ?? new Set();
    this.#broadcasts.set(name, listeners);
    const receiver = new Receiver(this.#turns, onMessage, () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#broadcasts.delete(name);
    });
    const listener: Listener = { node, receiver };
    listeners.add(listener);
    return receiver;
  }

  /** False: the inbox is gone. */
  send(address: string, message: WireMessage): boolean {
    const receiver = this.#inboxes.get(address);
    receiver?.receive(message);
    return receiver !== undefined;
  }

  /** To all that listen, or to one node. */
  broadcast(name: string, message: WireMessage, node: NodeId | undefined): void {
    for (const listener of this.#broadcasts.get(name) ?? []) {
      if (node === undefined || listener.node === node) listener.receiver.receive(message);
    }
  }
}
