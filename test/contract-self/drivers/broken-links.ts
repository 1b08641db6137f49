import type { FullyTestedDriver } from "../broken-driver.js";

/** What a driver says of itself and of its connections. */
export const brokenLinks: readonly FullyTestedDriver[] = [
  {
    name: "never tells that the connection is lost",
    sabotage: { connectOptions: (options) => ({ ...options, onLost: () => {} }) },
    caughtBy: [
      "Q-82",
      "Q-83",
      "Q-84",
      "Q-85",
      "Q-86",
      "Q-87",
      "Q-88",
      "Q-89",
      "Q-110",
      "Q-121",
      "Q-126",
      "Q-141",
      "Q-142",
      "Q-143",
      "B-21",
      "B-22",
      "C-10",
      "C-21",
      "C-22",
      "C-23",
      "C-24",
      "C-25",
      "C-60",
      "C-61",
      "C-62",
      "C-63",
      "C-64",
      "C-65",
      "C-90",
      "C-91",
      "C-92",
      "D-20",
      "D-31",
      "D-56",
      "D-59",
    ],
  },
  {
    name: "promises a strict order that it does not keep",
    sabotage: {
      driver: ({ capabilities }) => ({
        capabilities: Object.freeze({
          ...capabilities,
          queue: Object.freeze({ ...capabilities.queue, ordering: "strict" }),
        }),
      }),
    },
    caughtBy: ["Q-25"],
  },
  {
    name: "denies a loopback that it has",
    sabotage: {
      driver: ({ capabilities }) => ({
        capabilities: Object.freeze({ ...capabilities, broadcast: Object.freeze({ loopback: false }) }),
      }),
    },
    caughtBy: ["B-08"],
  },
  {
    name: "hands over a vendor's error as it is",
    sabotage: { driver: () => ({ toMessagingError: (error) => error as never }) },
    caughtBy: ["D-33"],
  },
];
