import type { Address, WireMessage } from "../../src/driver/driver.js";
import { RESERVED_PREFIX } from "../../src/driver/reserved-headers.js";
import type { World } from "./world.js";

/** What became of a frame: it was sent, it arrived, it was lost on its way, it came twice, it came back. */
export type FrameFate = "sent" | "arrived" | "lost" | "twice" | "returned" | "redelivered";

const MARKS: Readonly<Record<FrameFate, string>> = {
  sent: "-->",
  arrived: "==>",
  lost: "-x ",
  twice: "=2>",
  returned: "<-x",
  redelivered: "=R>",
};

interface Entry {
  readonly at: number;
  readonly text?: string | undefined;
  readonly fate?: FrameFate;
  readonly from?: string;
  readonly to?: string;
  readonly message?: WireMessage;
}

/** All that passed over the wire and all that was done to it, in order. Costs little until it is printed. */
export class Trace {
  readonly #world: World;
  readonly #entries: Entry[] = [];
  readonly #inboxes = new Map<string, string>();
  readonly #calls = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  get size(): number {
    return this.#entries.length;
  }

  nameInbox(address: string, owner: string): void {
    this.#inboxes.set(address, owner);
  }

  frame(fate: FrameFate, from: string, to: Address | string, message: WireMessage): void {
    const target = typeof to === "string" ? to : this.#targetOf(to);
    this.#entries.push({ at: this.#world.elapsedMs, fate, from, to: target, message });
  }

  settlement(from: string, message: WireMessage, how: string): void {
    this.#entries.push({ at: this.#world.elapsedMs, fate: "sent", from, to: `queue, ${how} of`, message });
  }

  note(text: string): void {
    this.#entries.push({ at: this.#world.elapsedMs, text });
  }

  *lines(): Iterable<string> {
    for (const entry of this.#entries) yield this.#line(entry);
  }

  #line({ at, text, fate, from = "", to = "", message }: Entry): string {
    const time = String(at).padStart(7);
    if (fate === undefined || message === undefined) return `${time}  ** ${text}`;
    const { type = "message", correlationId, headers, body } = message;
    const details = Object.keys(headers)
      .sort()
      .map((name) => `${name.replace(RESERVED_PREFIX, "")}=${headers[name]}`)
      .join(" ");
    const call = correlationId === undefined ? "" : ` call ${this.#callNumber(correlationId)}`;
    return `${time}  ${from} ${MARKS[fate]} ${to}  ${type}${call}  ${details}  ${body.byteLength} bytes`;
  }

  /** Wire names of calls are long; the order of their appearance is easier to follow. */
  #callNumber(correlationId: string): string {
    let number = this.#calls.get(correlationId);
    if (number === undefined) {
      number = this.#calls.size + 1;
      this.#calls.set(correlationId, number);
    }
    return `#${number}`;
  }

  #targetOf(to: Address): string {
    if (to.kind === "queue") return `queue${to.lane === undefined ? "" : `/${to.lane}`}`;
    if (to.kind === "inbox") return this.#inboxes.get(to.address) ?? "a foreign inbox";
    return to.node === undefined ? "all" : `node ${to.node}`;
  }
}
