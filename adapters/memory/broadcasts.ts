import type { WireMessage } from "../../src/driver/driver.js";
import type { NodeId } from "../../src/ports/broadcast.js";

export interface Listener {
  readonly node: NodeId;
  /** Who it belongs to: the connection that must not hear itself, where a node does not. */
  readonly owner: object;
  receive(message: WireMessage): void;
}

/** Who listens to which broadcast. */
export class Broadcasts {
  readonly #listeners = new Map<string, Set<Listener>>();

  add(name: string, listener: Listener): void {
    const present = this.#listeners.get(name);
    if (present === undefined) this.#listeners.set(name, new Set([listener]));
    else present.add(listener);
  }

  remove(name: string, listener: Listener): void {
    const present = this.#listeners.get(name);
    present?.delete(listener);
    if (present?.size === 0) this.#listeners.delete(name);
  }

  /** To all that listen, or to one node; never to the listeners of `except`. */
  publish(name: string, message: WireMessage, node: NodeId | undefined, except: object | undefined): void {
    const listeners = this.#listeners.get(name);
    if (listeners === undefined) return;
    for (const listener of listeners) {
      if (listener.owner !== except && (node === undefined || listener.node === node)) listener.receive(message);
    }
  }
}
