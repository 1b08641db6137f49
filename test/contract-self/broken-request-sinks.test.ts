import { brokenHarness } from "./broken-driver.js";
import { brokenTests } from "./broken-tests.js";
import { brokenRequestSinks } from "./drivers/broken-request-sinks.js";

/** Deadlines are cut short: whatever has not happened on a broker in this process by then, will not. */
const TIME_SCALE = 0.6;

brokenTests({
  suite: "the contract suite of RequestSink",
  whole: "memory driver behind the wrapper that breaks the others",
  kind: "driver",
  broken: brokenRequestSinks,
  createHarness: (broken, scale) => brokenHarness(broken?.name ?? "whole", broken?.sabotage ?? {}, scale),
  timeScale: TIME_SCALE,
  atOnce: 4,
});
