import type { RabbitmqNode } from "../../rabbitmq/index.js";
import { megabytes } from "./memory-watch.js";

/** Of a node with nothing to do but to hand over what readers take. */
const MOST_GROWTH_BYTES = 40_000_000;
const HELD = '[garbage_collect(Pid) || Pid <- processes()], io:format("~b~n", [erlang:memory(total)]).';

/** What a node holds, after what nobody holds was collected: a reader that does not read must not fill it. */
export class BrokerMemory {
  readonly #node: RabbitmqNode;
  #baseBytes = 0;
  #mostBytes = 0;

  constructor(node: RabbitmqNode) {
    this.#node = node;
  }

  async begin(): Promise<void> {
    this.#baseBytes = await this.#held();
    this.#mostBytes = this.#baseBytes;
  }

  async look(): Promise<void> {
    this.#mostBytes = Math.max(this.#mostBytes, await this.#held());
  }

  get notes(): readonly string[] {
    return [`broker: ${megabytes(this.#baseBytes)} MB, at most +${megabytes(this.#mostBytes - this.#baseBytes)} MB`];
  }

  get violations(): readonly string[] {
    const grown = this.#mostBytes - this.#baseBytes;
    return grown > MOST_GROWTH_BYTES ? [`the broker's memory grew by ${megabytes(grown)} MB`] : [];
  }

  async #held(): Promise<number> {
    const text = await this.#node.control("eval", HELD);
    const bytes = Number(/\d{4,}/.exec(text)?.[0]);
    if (Number.isNaN(bytes)) throw new Error(`the broker did not tell its memory: ${text}`);
    return bytes;
  }
}
