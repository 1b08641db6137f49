import type { NodeId } from "../ports/broadcast.js";
import type { Random } from "../ports/clock.js";
import { BoundedMap } from "./bounded-map.js";

/** Why an ack finds nothing to settle. */
export type IgnoredAck = "late" | "repeated" | "unknown" | "elsewhere";

/** Over tokens only remembered, so that a late ack can be told from nonsense. */
const MAX_OVER = 10_000;

/** The tokens of the attempts that are on. Each names this node, so that any server can tell whose it is. */
export class AckTokens<T> {
  readonly #nodeId: NodeId;
  readonly #random: Random;
  readonly #live = new Map<string, T>();
  readonly #over = new BoundedMap<string, IgnoredAck>(MAX_OVER);

  constructor(nodeId: NodeId, random: Random) {
    this.#nodeId = nodeId;
    this.#random = random;
  }

  get size(): number {
    return this.#live.size;
  }

  issue(holder: T): string {
    const token = `${this.#nodeId}.${this.#random.uuid()}`;
    this.#live.set(token, holder);
    return token;
  }

  /** The attempt is over. From now on an ack of it is what `as` says. */
  retire(token: string, as: "late" | "repeated"): void {
    if (this.#live.delete(token)) this.#over.set(token, as);
  }

  find(token: string): { readonly holder: T } | IgnoredAck {
    const holder = this.#live.get(token);
    if (holder !== undefined) return { holder };
    const over = this.#over.get(token);
    if (over !== undefined) return over;
    const end = token.lastIndexOf(".");
    return end > 0 && token.slice(0, end) !== this.#nodeId ? "elsewhere" : "unknown";
  }
}
