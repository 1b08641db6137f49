import { type Command, Option } from "commander";
import { checkBrokerUrl, DEFAULT_BROKER_URL, maskBrokerUrl } from "../../src/container/index.js";
import { findRecordedBroker } from "../broker/broker-record.js";
import { BadInput } from "../program/run-program.js";
import type { RabbitmqNode } from "../rabbitmq/index.js";

export interface DemoOptions {
  readonly broker: string;
  readonly servers: number;
  readonly subscribers: number;
  readonly events: number;
  /** The broker to kill, with `--kill-broker`. */
  readonly victim: RabbitmqNode | undefined;
  readonly killServer: boolean;
}

/** So that there is something before, between and after the kills. */
const LEAST_FOR_KILLS = 30;

interface DemoFlags {
  readonly broker: string;
  readonly servers: number;
  readonly subscribers: number;
  readonly events: number;
  readonly killBroker: boolean;
  readonly killServer: boolean;
}

export function addDemoFlags(command: Command): Command {
  const count = (flag: string, help: string, byDefault: number): Option =>
    new Option(`--${flag} <n>`, help)
      .default(byDefault)
      .argParser((text) => (/^\d+$/.test(text) ? Number(text) : Number.NaN));
  return command
    .option("--broker <url>", "the broker of the servers: sqlite:FILE, memory: or amqp://…", DEFAULT_BROKER_URL)
    .addOption(count("servers", "server processes", 1))
    .addOption(count("subscribers", "subscribers, spread over the servers", 3))
    .addOption(count("events", "events to post", 1_000))
    .option(
      "--kill-broker",
      "SIGKILL the broker in the middle; for the URL of npm run broker, which starts it again",
      false,
    )
    .option("--kill-server", "SIGKILL one server in the middle, and start a new one in its place", false);
}

/** All faults at once. */
export function resolveDemoOptions(flags: DemoFlags): DemoOptions {
  const faults: string[] = [];
  const { broker, servers, subscribers, events, killServer } = flags;
  const limit = (flag: string, value: number, most: number): void => {
    if (!(value >= 1 && value <= most)) faults.push(`--${flag} must be a whole number from 1 to ${most}`);
  };
  limit("servers", servers, 16);
  limit("subscribers", subscribers, 64);
  limit("events", events, 1_000_000);
  if (events < subscribers) faults.push(`--events ${events}: give each of the ${subscribers} subscribers one at least`);
  if ((killServer || flags.killBroker) && events < LEAST_FOR_KILLS) {
    faults.push(`--events ${events}: with kills in the middle there must be ${LEAST_FOR_KILLS} at least`);
  }
  try {
    checkBrokerUrl(broker);
  } catch (error) {
    faults.push(`--broker: ${error instanceof Error ? error.message : String(error)}`);
  }
  const isInServer = /^(?:memory|sqlite):/.test(broker);
  const why = "this broker lives in its one server; use npm run broker and --broker with its URL";
  if (isInServer && servers > 1) faults.push(`--servers ${servers}: ${why}`);
  if (isInServer && flags.killBroker) faults.push(`--kill-broker: ${why}`);
  if (broker.startsWith("memory:") && flags.killServer) faults.push(`--kill-server: ${why}`);
  const victim = flags.killBroker ? findRecordedBroker(broker) : undefined;
  if (flags.killBroker && victim === undefined && faults.length === 0) {
    faults.push(
      `--kill-broker: no npm run broker keeps a node at ${maskBrokerUrl(broker)}; start one, and use its URL`,
    );
  }
  if (faults.length > 0) throw new BadInput(faults.join("; "));
  return Object.freeze({ broker, servers, subscribers, events, victim, killServer });
}
