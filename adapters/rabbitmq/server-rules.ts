import { MessagingError } from "../../src/errors/messaging-error.js";
import type { AmqpTable } from "./amqp.js";

/** What depends on the broker's version. */
export interface ServerRules {
  /** As the broker says it; `unknown` when it does not. */
  readonly version: string;
  /** Quorum queues that dead-letter at least once: what every quorum queue here, the delay ladder too, is built on. */
  readonly quorum: boolean;
  /**
   * Quorum queues drop a message after 20 deliveries unless `x-delivery-limit` is -1. Before, there was no limit, and
   * -1 discards at the first requeue.
   */
  readonly unlimitedDeliveries: boolean;
  /** `connection.update-secret`: before, whoever sends it is cut off. */
  readonly renewedCredentials: boolean;
}

/**
 * Since when. Quorum queues are older (3.8), but dead-lettered at most once. Not in the table, because this adapter is built
 * so that it does not matter: 4.0 takes bodies of 16 MiB by default (the option's default), 4.3 refuses transient queues that are not
 * exclusive (all of ours are one or the other), has no global qos (never used), and no consumer timeout of classic queues.
 */
const SINCE: { readonly [Rule in Exclude<keyof ServerRules, "version">]: readonly [number, number] } = {
  quorum: [3, 10],
  unlimitedDeliveries: [4, 0],
  renewedCredentials: [3, 8],
};

/** Throws `UNSUPPORTED` for a broker that cannot do what the options ask. One that says no version counts as the oldest. */
export function serverRules(properties: AmqpTable, queueType: "quorum" | "classic"): ServerRules {
  const said = properties.version;
  const version = typeof said === "string" && said !== "" ? said : "unknown";
  const [, major, minor] = /^v?(\d{1,4})(?:\.(\d{1,4}))?(?![\d])/.exec(version) ?? [];
  const [atLeast, andMinor] = [Number(major ?? 0), Number(minor ?? 0)];
  const since = ([first, second]: readonly [number, number]): boolean =>
    atLeast > first || (atLeast === first && andMinor >= second);
  const rules = {
    version,
    quorum: since(SINCE.quorum),
    unlimitedDeliveries: since(SINCE.unlimitedDeliveries),
    renewedCredentials: since(SINCE.renewedCredentials),
  };
  if (queueType === "quorum" && !rules.quorum) {
    throw new MessagingError(
      "UNSUPPORTED",
      `quorum queues need RabbitMQ 3.10, this broker is ${version}: set queueType: "classic", or upgrade the broker`,
    );
  }
  return rules;
}
