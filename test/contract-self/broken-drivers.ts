import type { FullyTestedDriver } from "./broken-driver.js";
import { brokenConsumers } from "./drivers/broken-consumers.js";
import { brokenInspection } from "./drivers/broken-inspection.js";
import { brokenLanes } from "./drivers/broken-lanes.js";
import { brokenLinks } from "./drivers/broken-links.js";
import { brokenPublishes } from "./drivers/broken-publishes.js";
import { brokenSettlements } from "./drivers/broken-settlements.js";

export const brokenDrivers: readonly FullyTestedDriver[] = [
  ...brokenConsumers,
  ...brokenInspection,
  ...brokenLanes,
  ...brokenLinks,
  ...brokenPublishes,
  ...brokenSettlements,
];
