import { MessagingError } from "../../src/errors/messaging-error.js";
import type { AmqpTable } from "./amqp.js";

/** What depends on the broker's version. */
export interface ServerRules {
  readonly version: string;
  /** Quorum queues that dead-letter at least once: what every quorum queue here, the delay ladder too, is built on. */
  readonly quorum: boolean;
  /**
   * Quorum queues drop a message after 20 deliveries unless `x-delivery-limit` is -1. Before, there was no limit, and
   * -1 discards at the first requeue.
   */
  readonly unlimitedDeliveries: boolean;
}

/**
 * Since when. Not in the table, because this adapter is built so that it does not matter: 4.3 refuses transient queues
 * that are not exclusive (all of ours are one or the other) and has no global qos (never used).
 */
const SINCE: { readonly [Rule in Exclude<keyof ServerRules, "version">]: readonly [number, number] } = {
  quorum: [3, 10],
  unlimitedDeliveries: [4, 0],
};

/** Throws `UNSUPPORTED` for a broker that cannot do what the options ask. */
export function serverRules(properties: AmqpTable, queueType: "quorum" | "classic"): ServerRules {
  const version = String(properties.version ?? "unknown");
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10) || 0);
  const since = ([atMajor, atMinor]: readonly [number, number]): boolean =>
    major > atMajor || (major === atMajor && minor >= atMinor);
  const rules = { version, quorum: since(SINCE.quorum), unlimitedDeliveries: since(SINCE.unlimitedDeliveries) };
  if (queueType === "quorum" && !rules.quorum) {
    throw new MessagingError(
      "UNSUPPORTED",
      `quorum queues need RabbitMQ 3.10, this broker is ${version}: set queueType: "classic", or upgrade the broker`,
    );
  }
  return rules;
}
