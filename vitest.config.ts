import { defineConfig } from "vitest/config";
import { BROKER_PROJECT } from "./tools/test/broker-project.js";
import { createReporter } from "./tools/test/reporter.js";

const BROKER_TESTS = ["test/adapters/rabbitmq/**/*.test.ts", "test/cli/rabbitmq*.test.ts"];
/** A run against a broker that is given: only where one is. */
const EXTERNAL_TEST = "test/adapters/rabbitmq/contract-external.test.ts";
/** The contract on RabbitMQ, each configuration on a node of its own: these kill and freeze what they run on. */
const CONTRACT_TESTS = ["test/adapters/rabbitmq/contract.test.ts", "test/adapters/rabbitmq/contract-classic.test.ts"];
/** What starts whole programs. */
const PROGRAM_TESTS = ["test/tools/**/*.test.ts", "test/cli/!(rabbitmq*).test.ts", "test/demo.test.ts"];

const UNHURRIED = { testTimeout: 120_000, hookTimeout: 120_000 } as const;

export default defineConfig({
  test: {
    environment: "node",
    pool: "forks",
    allowOnly: false,
    reporters: [createReporter()],
    teardownTimeout: 30_000,
    projects: [
      {
        extends: true,
        test: {
          name: "parts",
          include: ["test/**/*.test.ts"],
          exclude: [...BROKER_TESTS, ...CONTRACT_TESTS, ...PROGRAM_TESTS],
          maxWorkers: 2,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          ...UNHURRIED,
          name: BROKER_PROJECT,
          // They share one node, and do to it what hurts others.
          fileParallelism: false,
          include: BROKER_TESTS,
          exclude: process.env.RABBITMQ_URL ? CONTRACT_TESTS : [...CONTRACT_TESTS, EXTERNAL_TEST],
          // Only when one of these files is selected.
          globalSetup: ["./tools/test/global-setup.ts"],
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          ...UNHURRIED,
          name: "processes",
          include: [...CONTRACT_TESTS, ...PROGRAM_TESTS],
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
