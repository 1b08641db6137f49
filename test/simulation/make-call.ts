import type { Priority } from "../../src/ports/message.js";
import type { CallPlan, HandlerPlan, ReaderPlan } from "./plan.js";
import type { SeededRandom } from "./seeded-random.js";

const PRIORITIES: readonly Priority[] = ["expedite", "standard", "bulk"];

export interface Surroundings {
  readonly number: number;
  readonly client: number;
  readonly instants: readonly number[];
  readonly names: readonly string[];
  readonly sinks: readonly string[];
  readonly largest: number;
}

export function makeCall(random: SeededRandom, surroundings: Surroundings): CallPlan {
  const { number, client, instants, names, sinks, largest } = surroundings;
  const kind = random.pick(["stream", "stream", "stream", "stream", "one", "one-way"] as const);
  const handler = makeHandler(random, largest, kind);
  const isGenerous = handler.ending !== "hang" && random.chance(0.8);
  const reader = kind === "stream" ? makeReader(random, handler) : EAGER;
  return {
    number,
    client,
    kind,
    sink: random.pick(sinks),
    startMs: random.pick(instants) + (random.chance(0.5) ? 0 : random.int(0, 300)),
    callId: random.chance(0.4) ? random.pick(names) : undefined,
    timeoutMs: isGenerous && reader.kind !== "stop" ? random.int(120_000, 240_000) : random.int(300, 6_000),
    isGenerous: isGenerous && reader.kind !== "stop",
    window: handler.responses >= FLOOD.responses ? undefined : random.pick([undefined, 1, 2, 3, random.int(4, 20)]),
    windowBytes: random.chance(0.3) ? random.int(1, largest * 3) : undefined,
    stallMs: random.pick(reader.kind === "stop" ? [1_000, 5_000] : [1_000, 5_000, 300_000]),
    priority: random.pick(PRIORITIES),
    idempotent: random.chance(0.4),
    allowKeepAlive: random.chance(0.8),
    requestBytes: random.chance(0.3) ? random.int(0, largest) : random.int(0, 40),
    handler,
    reader,
    abort:
      random.chance(0.2) && kind === "stream"
        ? { afterMs: random.chance(0.3) ? 0 : random.int(0, 3_000), by: random.pick(["signal", "stream"] as const) }
        : undefined,
    isWatched: random.chance(0.5),
  };
}

const FLOOD: HandlerPlan = {
  responses: 2_500,
  maxResponseBytes: 0,
  maxPauseMs: 0,
  style: "generator",
  keepAliveMs: undefined,
  ending: "end",
  failsWith: "INTERNAL",
};

const EAGER: ReaderPlan = { kind: "eager", after: 0, maxPauseMs: 0 };

function makeHandler(random: SeededRandom, largest: number, kind: CallPlan["kind"]): HandlerPlan {
  // More than a V4 client may hold.
  if (kind === "stream" && random.chance(0.004)) return { ...FLOOD, ending: random.pick(["end", "throw"] as const) };
  const many = random.pick([0, 1, 2, 5, 12, 40]);
  const responses = kind === "one" ? random.pick([1, 1, 1, 1, 0, 2]) : random.int(0, many);
  return {
    responses,
    maxResponseBytes: random.chance(0.5) ? 20 : largest,
    maxPauseMs: random.pick([0, 0, 10, 200, random.chance(0.2) ? 4_000 : 50]),
    style: random.pick(["generator", "generator", "context", "unawaited"] as const),
    keepAliveMs: random.chance(0.2) ? random.int(1, 20_000) : undefined,
    ending: random.pick(["end", "end", "end", "end", "end", "late", "throw", "throw-at-once", "fail", "hang"] as const),
    failsWith: random.pick(["NOT_FOUND", "REJECTED", "INTERNAL"] as const),
  };
}

function makeReader(random: SeededRandom, { responses }: HandlerPlan): ReaderPlan {
  // Slowly, so many would take hours.
  if (responses >= FLOOD.responses)
    return { kind: random.pick(["eager", "pause", "leave"]), after: 1, maxPauseMs: 2_000 };
  return {
    kind: random.pick(["eager", "eager", "eager", "slow", "batch", "pause", "stop", "leave"] as const),
    after: random.int(1, Math.max(1, responses)),
    maxPauseMs: random.pick([5, 200, 2_000]),
  };
}

/** Its handler takes its time. */
export function inPatience(random: SeededRandom, call: CallPlan): CallPlan {
  const { handler, idempotent } = call;
  const maxPauseMs = random.pick([2_000, 4_000, 8_000]);
  const responses = Math.min(handler.responses, 12);
  return { ...call, idempotent: idempotent || random.chance(0.5), handler: { ...handler, responses, maxPauseMs } };
}

/** It goes on for seconds. */
export function inStreams(random: SeededRandom, call: CallPlan): CallPlan {
  const { handler, kind } = call;
  if (kind !== "stream") return call;
  const window = random.pick([undefined, 1, 3, random.int(4, 20)]);
  // Where half the credit is lost, one response may take seconds.
  const responses = window === 1 ? random.int(3, 10) : random.int(5, 30);
  const maxPauseMs = random.pick([20, 200, 400, 800]);
  const reader = random.chance(0.5) ? EAGER : call.reader;
  return { ...call, window, reader, handler: { ...handler, responses, maxPauseMs } };
}
