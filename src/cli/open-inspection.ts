import { existsSync } from "node:fs";
import { createInspectionClient } from "../../adapters/grpc/index.js";
import { brokerModule, createContainer, maskBrokerUrl, messagingModule, TOKENS } from "../container/index.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { Inspection } from "../ports/inspection.js";
import type { Messaging } from "../ports/messaging.js";
import { brokerFailure } from "./broker-failure.js";
import { BadInput } from "./failure.js";
import type { OperatorOrder, Over } from "./operator-flags.js";

const CONNECT_TIMEOUT_MS = 10_000;
const CLOSE_MS = 2_000;
/** Where one server has the events, by default. */
const EVENTS_QUEUE = "events";
const DEAD_SUFFIX = ".dead";

/** The queues, over whatever reaches them. */
export interface OpenInspection {
  readonly inspection: Inspection;
  readonly place: string;
  /** By the broker's own name, or the short one that the server knows. */
  readonly queue: string;
  /** For people: "in orders". */
  readonly shownQueue: string;
  close(): Promise<void>;
}

/** Rejects with a MessagingError that says what to look at. */
export async function openInspection(
  { over, timeoutMs, queue }: Pick<OperatorOrder, "over" | "timeoutMs" | "queue">,
  { dead }: { readonly dead: boolean },
): Promise<OpenInspection> {
  const named = queue === undefined ? undefined : withSuffix(queue, dead);
  if ("server" in over) {
    const client = createInspectionClient({ ...over.security, address: over.server, timeoutMs });
    const shownQueue = named === undefined ? "of this server" : `in ${named}`;
    const close = async (): Promise<void> => client.close();
    return { inspection: client, place: over.server, queue: named ?? (dead ? DEAD_SUFFIX : ""), shownQueue, close };
  }
  const place = maskBrokerUrl(over.broker);
  const file = /^sqlite:(?:\/\/(?=\/))?(.*)$/.exec(over.broker)?.[1];
  // One that is misspelt would be made, and be empty.
  if (file !== undefined && file !== "" && !existsSync(file)) throw new BadInput(`--broker: there is no file ${file}`);
  const connectTimeoutMs = Math.min(timeoutMs, CONNECT_TIMEOUT_MS);
  const container = createContainer(brokerModule(over.broker), messagingModule({ connectTimeoutMs }));
  const messaging = container.get<Messaging>(TOKENS.Messaging);
  try {
    await messaging.open();
    const { inspection } = messaging;
    if (inspection === undefined) throw new MessagingError("UNSUPPORTED", "this broker shows no messages");
    const name = named ?? withSuffix(EVENTS_QUEUE, dead);
    return {
      inspection,
      place,
      queue: name,
      shownQueue: `in ${name}`,
      close: () => messaging.close({ drainMs: CLOSE_MS }),
    };
  } catch (error) {
    await messaging.close({ drainMs: 0 });
    throw withHint(brokerFailure(error, place), over);
  }
}

/** What was attempted, what came of it, and what to look at. */
export function operatorFailure(error: unknown, what: string, over: Over, place: string): unknown {
  if (!MessagingError.is(error)) return error;
  const said = error.message.replace(/\.? *Resolution note: *$/, "");
  const isGone = error.code === "UNAVAILABLE" && "server" in over;
  const hint = isGone ? `; is fairlead serve running at ${place}?` : "";
  return new MessagingError(error.code, `${what} at ${place}: ${said}${hint}`, { cause: error });
}

/** A sqlite file has one process, which is nearly always the server. */
function withHint(error: unknown, over: Over): unknown {
  const isFile = "broker" in over && over.broker.startsWith("sqlite:");
  if (!isFile || !MessagingError.is(error, "UNAVAILABLE")) return error;
  return new MessagingError(error.code, `${error.message}; a running server is asked with --server host:port`, {
    cause: error,
  });
}

function withSuffix(queue: string, dead: boolean): string {
  return dead && !queue.endsWith(DEAD_SUFFIX) ? `${queue}${DEAD_SUFFIX}` : queue;
}
