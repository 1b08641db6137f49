import type { NodeId } from "../ports/broadcast.js";
import { BoundedMap } from "./bounded-map.js";
import type { ControlChannel } from "./control-channel.js";

/** Enquiries are repeated for seconds. */
const MAX_REMEMBERED = 10_000;
const UNDER_WAY = Symbol("under way");

/** Answers what other servers ask. An enquiry that is repeated is answered again, and acted upon once. */
export class Answers {
  readonly #channel: ControlChannel;
  readonly #outcomes = new BoundedMap<string, string | typeof UNDER_WAY>(MAX_REMEMBERED);

  constructor(channel: ControlChannel) {
    this.#channel = channel;
  }

  /** Whether it has been asked before. */
  knows(id: string): boolean {
    return this.#outcomes.get(id) !== undefined;
  }

  /** `act` must not reject. */
  async give(id: string, to: NodeId, act: () => Promise<string>): Promise<void> {
    const known = this.#outcomes.get(id);
    if (known === UNDER_WAY) return;
    if (known === undefined) this.#outcomes.set(id, UNDER_WAY);
    const outcome = known ?? (await act());
    if (known === undefined) this.#outcomes.set(id, outcome);
    await this.#channel.send({ kind: "answer", id, outcome }, to);
  }
}
