import { defineConfig } from "vitest/config";
import { BROKER_ALONE_VARIABLE, BROKER_PROJECT, LONE_BROKER_PROJECT } from "./tools/test/broker-project.js";
import { LONE_TESTS } from "./tools/test/lone-tests.js";
import { LongestFirst } from "./tools/test/longest-first.js";
import { createReporter } from "./tools/test/reporter.js";

const UNIT_TESTS = ["test/unit/**/*.test.ts"];
const BROKER_TESTS = ["test/adapters/rabbitmq/**/*.test.ts", "test/cli/rabbitmq*.test.ts"];
/** What these do to the node harms others, or what others do harms them: they count what is there, or how long it takes. */
const LONE_BROKER_TESTS = ["blocked", "connect", "hold-time", "ladder", "taking"].map(
  (name) => `test/adapters/rabbitmq/${name}.test.ts`,
);
/** A run against a broker that is given: only where one is. */
const EXTERNAL_TEST = "test/adapters/rabbitmq/contract-external.test.ts";
/** The contract on RabbitMQ, each configuration on a node of its own: these kill and freeze what they run on. */
const CONTRACT_TESTS = ["", "-requests", "-classic", "-classic-requests"].map(
  (part) => `test/adapters/rabbitmq/contract${part}.test.ts`,
);
/** What starts whole programs. */
const PROGRAM_TESTS = [
  "test/tools/**/*.test.ts",
  "test/faults/**/*.test.ts",
  "test/cli/!(rabbitmq*).test.ts",
  "test/demo.test.ts",
];
/** The node is started only when one of their files is selected. */
const SHARED_NODE = {
  globalSetup: ["./tools/test/global-setup.ts"],
  setupFiles: ["./tools/test/take-broker-turn.ts"],
};
const UNHURRIED = { testTimeout: 120_000, hookTimeout: 120_000 } as const;
/** To load everything anew for each file would take longer than most of the tests. What a test replaces is put back. */
const TOGETHER = { isolate: false, restoreMocks: true, unstubEnvs: true } as const;

export default defineConfig({
  test: {
    environment: "node",
    pool: "forks",
    // Half of the time of most files is waiting.
    maxWorkers: 6,
    allowOnly: false,
    reporters: [createReporter()],
    teardownTimeout: 30_000,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: { ...UNHURRIED, ...TOGETHER, name: "units", include: UNIT_TESTS, exclude: [...LONE_TESTS] },
      },
      {
        extends: true,
        test: {
          ...UNHURRIED,
          ...TOGETHER,
          name: "parts",
          include: ["test/**/*.test.ts"],
          exclude: [...UNIT_TESTS, ...BROKER_TESTS, ...CONTRACT_TESTS, ...PROGRAM_TESTS, ...LONE_TESTS],
        },
      },
      {
        extends: true,
        test: { ...UNHURRIED, name: "lone", include: [...LONE_TESTS] },
      },
      {
        extends: true,
        test: {
          ...UNHURRIED,
          ...TOGETHER,
          ...SHARED_NODE,
          name: BROKER_PROJECT,
          include: BROKER_TESTS,
          exclude: [...CONTRACT_TESTS, ...LONE_BROKER_TESTS, EXTERNAL_TEST],
        },
      },
      {
        extends: true,
        test: {
          ...UNHURRIED,
          ...SHARED_NODE,
          name: LONE_BROKER_PROJECT,
          include: process.env.RABBITMQ_URL ? [...LONE_BROKER_TESTS, EXTERNAL_TEST] : LONE_BROKER_TESTS,
          env: { [BROKER_ALONE_VARIABLE]: "yes" },
        },
      },
      {
        extends: true,
        test: { ...UNHURRIED, name: "processes", include: [...CONTRACT_TESTS, ...PROGRAM_TESTS] },
      },
    ],
  },
});
