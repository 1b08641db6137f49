import { defineConfig } from "vitest/config";
import { BROKER_PROJECT } from "./tools/test/broker-project.js";
import { createReporter } from "./tools/test/reporter.js";

const BROKER_TESTS = ["test/adapters/rabbitmq/**/*.test.ts", "test/cli/rabbitmq*.test.ts"];
/** A run against a broker that is given: only where one is. */
const EXTERNAL_TEST = "test/adapters/rabbitmq/contract-external.test.ts";
/** What starts whole programs. */
const PROGRAM_TESTS = ["test/tools/**/*.test.ts", "test/cli/!(rabbitmq*).test.ts", "test/demo.test.ts"];

/** The broker takes one core of two, as programs do: their tests run one file at a time, after all others. */
const ALONE = { fileParallelism: false, testTimeout: 120_000, hookTimeout: 120_000 } as const;

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
          exclude: [...BROKER_TESTS, ...PROGRAM_TESTS],
          maxWorkers: 2,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          ...ALONE,
          name: BROKER_PROJECT,
          include: BROKER_TESTS,
          exclude: process.env.RABBITMQ_URL ? [] : [EXTERNAL_TEST],
          // Only when one of these files is selected.
          globalSetup: ["./tools/test/global-setup.ts"],
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: { ...ALONE, name: "programs", include: PROGRAM_TESTS, sequence: { groupOrder: 3 } },
      },
    ],
  },
});
