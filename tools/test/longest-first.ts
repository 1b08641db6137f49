import { BaseSequencer, type TestSpecification } from "vitest/node";
import { BROKER_PROJECT, LONE_BROKER_PROJECT } from "./broker-project.js";

/** Which files take long, by a part of their path; the longest at first. Most of their time is waiting. */
const LONG: readonly string[] = [
  "rabbitmq/contract",
  "faults/faults.test",
  "sqlite/contract.test",
  "demo.test",
  "round-trip.test",
  "cli/request.test",
  "cli/dead.test",
  "cli/bad-input.test",
  "cli/load.test",
  "tools/crash.test",
  "rabbitmq-node.test",
  "tools/broker.test",
  "contract-self/broken-drivers",
  "planted-bugs.test",
  "contract-self/broken",
  "grpc/contract.test",
  "original-client.test",
  "contract-latency.test",
  "memory/contract.test",
  "contract-masked.test",
  "planted-secrets.test",
  "http2-abuse.test",
  "events-contract.test",
];
/** Of `LONG`: beside the first of them there is just room for those that share a broker. */
const BEFORE_BROKER = 2;
/** Those that want the broker for themselves are let in one by one: each of them would wait in a worker. */
const FILES_BETWEEN_LONE = 12;

/**
 * Begins with what takes longest, so that no worker is left alone with it at the end; vitest goes by the size of files.
 * What is left of a project stays together: its files can follow each other in one process.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const ranked = (await super.sort(files))
      .map((file, place) => ({ file, place, rank: rankOf(file), project: file.project.name }))
      .sort(
        (one, other) => one.rank - other.rank || one.project.localeCompare(other.project) || one.place - other.place,
      )
      .map(({ file }) => file);
    const lone = ranked.filter((file) => file.project.name === LONE_BROKER_PROJECT);
    const sorted = ranked.filter((file) => !lone.includes(file));
    const firstLone = sorted.map((file) => file.project.name).lastIndexOf(BROKER_PROJECT) + 1;
    for (const [index, file] of lone.entries()) sorted.splice(firstLone + index * FILES_BETWEEN_LONE, 0, file);
    return sorted;
  }
}

function rankOf({ moduleId, project }: TestSpecification): number {
  if (project.name === BROKER_PROJECT) return BEFORE_BROKER - 0.5;
  const rank = LONG.findIndex((part) => moduleId.includes(part));
  return rank < 0 ? LONG.length : rank;
}
