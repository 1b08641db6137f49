import { type ServiceError, status } from "@grpc/grpc-js";
import { createQueueApiClient, type QueueApiClient } from "../../../adapters/grpc/index.js";
import { waitUntil } from "../../process/wait-until.js";
import { excusedMs, lostMs } from "../round/lost-time.js";
import type { FaultRound } from "../round/scenario.js";
import type { EventStage } from "./event-stage.js";

const EVENT_BYTES = 4_000;
const POST_MS = 20_000;
const AGAIN_MS = 40_000;
/** A refusal that takes longer is none that comes at once: it waited for something to be over. */
const AT_ONCE_MS = 5_000;
const AT_THE_SAME_TIME = 20;

export interface Refusal {
  readonly code: string;
  readonly text: string;
  readonly ms: number;
}

/** Posts one event after another to the first server, each tried once: a client that tries again would hide what it was told. */
export class SinglePosts {
  readonly #stage: EventStage;
  readonly #client: QueueApiClient;
  #next = 0;

  constructor(round: FaultRound, stage: EventStage) {
    this.#stage = stage;
    this.#client = createQueueApiClient(stage.addresses[0] ?? "");
    round.atEnd(() => this.#client.close());
  }

  /** Undefined: it was taken. */
  async one({ isDoomed = false } = {}): Promise<Refusal | undefined> {
    this.#next += 1;
    const userToken = `post-${this.#next}`;
    this.#stage.begun(userToken);
    const [startedAt, lostBefore] = [performance.now(), lostMs()];
    const event = { clientId: "poster", eventJson: "x".repeat(EVENT_BYTES), userToken };
    const error = await new Promise<ServiceError | null>((resolve) => {
      this.#client.PostEvent(event, { deadline: Date.now() + POST_MS }, resolve);
    });
    if (error === null) {
      if (isDoomed) this.#stage.failed(userToken, "their file, which was taken away");
      else this.#stage.posted(userToken);
      return undefined;
    }
    const code = status[error.code] ?? String(error.code);
    this.#stage.failed(userToken, code);
    return { code, text: error.details, ms: Math.round(performance.now() - startedAt - excusedMs(lostBefore)) };
  }

  /** All must be taken. */
  async some(count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const refusal = await this.one();
      if (refusal !== undefined) throw new Error(`an event was refused: ${refusal.text}`);
    }
  }

  /** Resolves with those that were refused; the others count for nothing: what holds them will be taken away. */
  async someDoomed(count: number): Promise<readonly Refusal[]> {
    const refusals: Refusal[] = [];
    for (let index = 0; index < count; index += 1) {
      const refusal = await this.one({ isDoomed: true });
      if (refusal !== undefined) refusals.push(refusal);
    }
    return refusals;
  }

  /** Resolves with a few refusals in a row. */
  async untilRefused(): Promise<readonly Refusal[]> {
    const refusals: Refusal[] = [];
    const look = async (): Promise<boolean> => {
      const results = await Promise.all(Array.from({ length: AT_THE_SAME_TIME }, () => this.one()));
      for (const result of results) if (result !== undefined) refusals.push(result);
      return refusals.length >= 3;
    };
    await waitUntil(look, { what: "a post to be refused", timeoutMs: AGAIN_MS });
    return refusals;
  }

  async untilTaken(): Promise<void> {
    const look = async (): Promise<boolean> => (await this.one()) === undefined;
    await waitUntil(look, { what: "a post to be taken again", timeoutMs: AGAIN_MS });
  }
}

/** What is wrong with how a poster was told of it. */
export function unclearRefusals(
  what: string,
  refusals: readonly Refusal[],
  clear: RegExp,
  codes: readonly string[],
): readonly string[] {
  return refusals.flatMap(({ code, text, ms }) => [
    ...(codes.includes(code) && clear.test(text) ? [] : [`${what} was told as ${code}: ${text}`]),
    ...(ms > AT_ONCE_MS ? [`${what} was told after ${ms} ms`] : []),
  ]);
}
