import { brokenHarness } from "./broken-driver.js";
import { brokenTests } from "./broken-tests.js";
import { brokenComebacks } from "./drivers/broken-comebacks.js";

/** Deadlines are cut short: whatever has not happened on a broker in this process by then, will not. */
const TIME_SCALE = 0.4;

brokenTests({
  suite: "the contract suite of faults",
  whole: "memory driver behind the wrapper that breaks the others",
  kind: "driver",
  broken: brokenComebacks,
  createHarness: (broken, scale) => brokenHarness(broken?.name ?? "whole", broken?.sabotage ?? {}, scale),
  timeScale: TIME_SCALE,
});
