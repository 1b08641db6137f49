import type { Logger } from "winston";
import { MessagingError } from "../errors/messaging-error.js";
import type { Observation, Observer } from "../ports/observer.js";
import type { LogLevel } from "./log-level.js";

type Of<Type extends Observation["type"]> = Extract<Observation, { type: Type }>;

interface Line {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields?: Readonly<Record<string, string | number | undefined>>;
  readonly error?: Error | undefined;
}

/**
 * An observer that writes one line for each observation, with fields, at a level that tells how much it matters: `warn`
 * for what failed, was lost or given up, `info` for changes of state, `debug` for each message that went well. What
 * whoever opens and closes the connection is told anyway, its first opening, that opening's failures and its closing, is
 * `debug` too.
 */
export function winstonObserver(logger: Logger): Observer {
  let wasOpen = false;
  return (observation) => {
    const { level, message, fields = {}, error } = lineOf(observation, wasOpen);
    if (observation.type === "connection" && observation.state === "open") wasOpen = true;
    if (!logger.isLevelEnabled(level)) return;
    const all: Line["fields"] = { ...fields, ...(error === undefined ? {} : errorFields(error, logger)) };
    const given = Object.entries(all).filter(([, value]) => value !== undefined);
    logger.log({ level, message, ...Object.fromEntries(given) });
  };
}

function lineOf(observation: Observation, wasOpen: boolean): Line {
  switch (observation.type) {
    case "connection":
      return connectionLine(observation, wasOpen);
    case "connect-failed": {
      const { error, retryInMs } = observation;
      const wait = retryInMs === undefined ? undefined : Math.round(retryInMs);
      return { level: wasOpen ? "warn" : "debug", message: "connect failed", fields: { retryInMs: wait }, error };
    }
    case "blocked":
      return observation.blocked
        ? { level: "warn", message: "the broker takes no publishes (a memory or disk alarm)" }
        : { level: "info", message: "the broker takes publishes again" };
    case "consumer":
      return { ...supervisedLine(observation), fields: { queue: observation.queue } };
    case "subscription":
      return { ...supervisedLine(observation), fields: { broadcast: observation.broadcast } };
    case "published": {
      const { queue, messageId, ms, sends } = observation;
      return { level: "debug", message: "published", fields: { queue, messageId, ms, sends } };
    }
    case "publish-failed": {
      const { queue, messageId, error } = observation;
      return { level: "warn", message: "publish failed", fields: { queue, messageId }, error };
    }
    case "settled":
      return settledLine(observation);
    case "request-server": {
      const { sink, state, error } = observation;
      const isTroubled = error !== undefined || state === "recovering";
      return { level: isTroubled ? "warn" : "info", message: `server ${state}`, fields: { sink }, error };
    }
    case "inbox":
      return inboxLine(observation);
    case "call":
      return callLine(observation);
    case "call-abandoned": {
      const { sink, callId } = observation;
      return { level: "warn", message: "a sink goes on with a call that is over", fields: { sink, callId } };
    }
    case "handler-failed": {
      const { source, messageId, error } = observation;
      return { level: "warn", message: "handler failed", fields: { source, messageId }, error };
    }
    case "discarded": {
      const { source, reason, messageId, count } = observation;
      return { level: "warn", message: "discarded", fields: { source, reason, messageId, count } };
    }
    case "delivery-held": {
      const { queue, messageId, ms, limitMs } = observation;
      const fields = { queue, messageId, ms: Math.round(ms), limitMs };
      return { level: "warn", message: "a handler is slow, the broker will not wait much longer", fields };
    }
    case "client-refused": {
      const { client, peer, what, reason, count } = observation;
      return { level: "warn", message: "client refused", fields: { client, peer, what, reason, count } };
    }
    case "credentials": {
      const { source, error, warning } = observation;
      if (warning !== undefined) return { level: "warn", message: "credentials", fields: { source, warning } };
      if (error === undefined) return { level: "info", message: "credentials read", fields: { source } };
      return { level: "error", message: "credentials not read, the former stay in use", fields: { source }, error };
    }
    case "event-subscriber":
      return subscriberLine(observation);
    case "event-attempt-failed": {
      const { messageId, attempt, clientId, reason } = observation;
      return { level: "info", message: "event not acknowledged", fields: { messageId, attempt, clientId, reason } };
    }
    case "event-ack-ignored":
      return { level: "info", message: "ack ignored, its token is not in use", fields: { reason: observation.reason } };
    case "event-intake-failed": {
      const { error, retryInMs } = observation;
      return { level: "warn", message: "no events can be taken", fields: { retryInMs: Math.round(retryInMs) }, error };
    }
    default:
      return observation satisfies never;
  }
}

function connectionLine({ state, error, endpoint }: Of<"connection">, wasOpen: boolean): Line {
  if (!wasOpen) return { level: "debug", message: `connection ${state}`, fields: { endpoint }, error };
  if (state === "reconnecting") return { level: "warn", message: "connection lost, reconnecting", error };
  if (error !== undefined) return { level: "warn", message: `connection ${state}`, error };
  return { level: state === "open" ? "info" : "debug", message: `connection ${state}`, fields: { endpoint } };
}

function supervisedLine({ type, state, error }: Of<"consumer"> | Of<"subscription">): Line {
  const troubled = error !== undefined || state === "recovering";
  return { level: troubled ? "warn" : "info", message: `${type} ${state}`, error };
}

function inboxLine({ state, error }: Of<"inbox">): Line {
  return { level: error === undefined ? "debug" : "warn", message: `inbox ${state}`, error };
}

function callLine({ side, sink, callId, error, responses, ms }: Of<"call">): Line {
  const fields = { sink, callId, responses, ms };
  const isOurs = side === "server" && error !== undefined && !MessagingError.is(error, "ABORTED");
  return {
    level: isOurs ? "info" : "debug",
    message: error === undefined ? "call ended" : "call failed",
    fields,
    error,
  };
}

function settledLine({ queue, messageId, attempt, outcome, reason, ms, reached }: Of<"settled">): Line {
  const fields = { queue, messageId, attempt, reason, ms };
  if (!reached) return { level: "warn", message: `${outcome} lost, the message will come again`, fields };
  if (outcome === "dead-letter") return { level: "warn", message: "dead-lettered", fields };
  return { level: outcome === "retry" ? "info" : "debug", message: outcome, fields };
}

function subscriberLine({ clientId, change, unacknowledged }: Of<"event-subscriber">): Line {
  const fields = { clientId, unacknowledged };
  return { level: change === "gone" && unacknowledged > 0 ? "warn" : "info", message: `subscriber ${change}`, fields };
}

function errorFields(error: Error, logger: Logger): Line["fields"] {
  return {
    error: error.message,
    code: MessagingError.is(error) ? error.code : undefined,
    stack: logger.isLevelEnabled("debug") ? error.stack : undefined,
  };
}
