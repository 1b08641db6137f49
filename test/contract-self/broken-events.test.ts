import { brokenHarness } from "./broken-driver.js";
import { brokenEventServices } from "./broken-event-services.js";
import { brokenTests } from "./broken-tests.js";

/** Deadlines are cut short: whatever has not happened on a broker in this process by then, will not. */
const TIME_SCALE = 0.6;

brokenTests({
  suite: "the contract suite of events",
  whole: "event service that the others are broken from",
  kind: "service",
  broken: brokenEventServices,
  createHarness(broken, scale) {
    const harness = brokenHarness(broken?.name ?? "whole", {}, scale);
    return broken === undefined ? harness : { ...harness, eventService: broken.eventService };
  },
  timeScale: TIME_SCALE,
});
