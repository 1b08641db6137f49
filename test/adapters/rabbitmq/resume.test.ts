import { expect, it, onTestFinished } from "vitest";
import { requestTables } from "../../../src/core/request/tables.js";
import { seededRandom } from "../../../tools/crash/seeded-random.js";
import type { FaultRound } from "../../../tools/faults/round/scenario.js";
import { resumeStream } from "../../../tools/faults/scenarios/stream-resumed.js";
import { waitUntil } from "../../../tools/process/wait-until.js";
import { brokerNode } from "./broker.js";

const RESPONSES = 10_000;
const CUTS = 3;
/** The window, of bodies of 200 bytes each. */
const MOST_KEPT_BYTES = 512 * 200;

it("a stream of 10,000 responses survives 3 cut connections on either side, whole, and little is kept meanwhile", {
  timeout: 60_000,
}, async () => {
  const round: FaultRound = {
    adapter: "rabbitmq",
    isShort: true,
    random: seededRandom(7),
    directory: "",
    guardDirectory: "",
    node: async () => brokerNode(),
    atEnd: (end) => onTestFinished(() => end()),
    stopped: new AbortController().signal,
    say: () => {},
  };
  let mostKept = 0;
  let left: () => Readonly<Record<string, number>> = () => ({});
  const {
    notes: _,
    longestGapMs: __,
    ...outcome
  } = await resumeStream(round, {
    responses: RESPONSES,
    cuts: CUTS,
    onLook(client, server) {
      mostKept = Math.max(mostKept, requestTables(server).retainedBytes ?? Number.NaN);
      left = () => ({ ...requestTables(client), ...requestTables(server) });
    },
  });
  expect(outcome).toEqual({
    sent: RESPONSES,
    confirmed: RESPONSES,
    handled: RESPONSES,
    duplicates: 0,
    lost: 0,
    stuck: 0,
    unsettled: 0,
    violations: [],
  });
  expect(mostKept).toBeGreaterThan(0);
  expect(mostKept).toBeLessThanOrEqual(MOST_KEPT_BYTES);
  await waitUntil(() => Object.values(left()).every((count) => count === 0), {
    what: () => `all tables to be empty: ${JSON.stringify(left())}`,
    timeoutMs: 20_000,
  });
});
