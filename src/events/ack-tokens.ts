import type { NodeId } from "../ports/broadcast.js";
import type { Random } from "../ports/clock.js";
import { ackTokenStem, formatAckToken, parseAckToken, queueTag } from "./ack-token.js";
import { BoundedMap } from "./bounded-map.js";

/** Over tokens only remembered, so that a late ack can be told from nonsense. */
const MAX_OVER = 10_000;
const INCARNATION_LENGTH = 8;

/** The tokens of the attempts that are on. Each names this service, so that any server can tell whose it is. */
export class AckTokens<T> {
  readonly #random: Random;
  readonly #incarnation: string;
  readonly #queueTag: string;
  readonly #stem: string;
  readonly #live = new Map<string, T>();
  readonly #over = new BoundedMap<string, "late" | "repeated">(MAX_OVER);

  constructor(nodeId: NodeId, queue: string, random: Random) {
    this.#random = random;
    this.#incarnation = random.uuid().slice(0, INCARNATION_LENGTH);
    this.#queueTag = queueTag(queue);
    this.#stem = ackTokenStem({ nodeId, incarnation: this.#incarnation, queueTag: this.#queueTag });
  }

  get size(): number {
    return this.#live.size;
  }

  issue(holder: T, mark: string, messageId: string): string {
    const token = formatAckToken(this.#random.uuid(), this.#stem, mark, messageId);
    this.#live.set(token, holder);
    return token;
  }

  /** The attempt is over. From now on an ack of it is what `as` says. */
  retire(token: string, as: "late" | "repeated"): void {
    if (this.#live.delete(token)) this.#over.set(token, as);
  }

  /** Of the attempt that is on with this token. */
  holder(token: string): T | undefined {
    return this.#live.get(token);
  }

  /** What a token is that no attempt has. One of another queue is nothing that the servers of this one know. */
  judge(token: string): "late" | "repeated" | "unknown" | "elsewhere" {
    const over = this.#over.get(token);
    if (over !== undefined) return over;
    const parts = parseAckToken(token);
    if (parts === undefined || parts.queueTag !== this.#queueTag) return "unknown";
    return parts.incarnation === this.#incarnation ? "unknown" : "elsewhere";
  }

  isOurs(token: string): boolean {
    return parseAckToken(token)?.incarnation === this.#incarnation;
  }
}
