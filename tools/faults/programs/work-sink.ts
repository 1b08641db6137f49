// What the servers of the fault rounds serve, also `fairlead serve --sink`. Prints `took N` and `over N done|CODE`.
import { setTimeout as delay } from "node:timers/promises";
import { bytesCodec, jsonCodec, MessagingError, type RequestSink, type ServeOptions } from "../../../src/index.js";
import { answerMemoryProbes } from "./memory-probe.js";
import { WORK, type Work } from "./work.js";

/** Calls that are not over. */
export const running = new Set<number>();

const work: RequestSink<Work, Uint8Array> = {
  signal({ body }, context) {
    const { number, ms, responses, bytes, isQuiet = false } = body;
    const say = (line: string): void => {
      if (!isQuiet) console.log(line);
    };
    say(`took ${number}`);
    const act = async (): Promise<string> => {
      for (let index = 0; index < responses; index += 1) {
        if (ms > 0) await delay(ms, undefined, { signal: context.signal }).catch(() => {});
        const response = { body: new Uint8Array(bytes).fill(index), headers: { number: String(number) } };
        if (context.signal.aborted || !(await context.respond(response))) return codeOf(context.signal.reason);
      }
      context.end();
      return "done";
    };
    running.add(number);
    void act()
      .catch((error: unknown) => {
        const failure = MessagingError.is(error) ? error : new MessagingError("INTERNAL", String(error));
        context.fail(failure);
        return failure.code;
      })
      .then((how) => {
        running.delete(number);
        say(`over ${number} ${how}`);
      });
  },
  abort() {},
};

export const sinks = { [WORK]: work };

const MANY = 2_000;

answerMemoryProbes();

export const options: Record<typeof WORK, ServeOptions<Work, Uint8Array>> = {
  [WORK]: {
    codec: jsonCodec<Work>(),
    responseCodec: bytesCodec,
    concurrency: { standard: MANY, bulk: 5, expedite: 5 },
    keepAliveMs: Number(process.env["FAIRLEAD_FAULTS_ALIVE_MS"] ?? 1_000),
  },
};

function codeOf(reason: unknown): string {
  return MessagingError.is(reason) ? reason.code : "OVER";
}
