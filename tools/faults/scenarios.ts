import type { FaultScenario } from "./round/scenario.js";
import { diskAlarm, memoryAlarm } from "./scenarios/broker-blocked.js";
import { brokerFrozen, brokerFrozenForGood } from "./scenarios/broker-frozen.js";
import { brokerKilled, fileFailed } from "./scenarios/broker-killed.js";
import { deadlyMessage } from "./scenarios/deadly-message.js";
import { diskFull } from "./scenarios/disk-full.js";
import { drained } from "./scenarios/drained.js";
import { fileDamaged } from "./scenarios/file-damaged.js";
import { fileLocked } from "./scenarios/file-locked.js";
import { fuzzedGateway } from "./scenarios/fuzzed-calls.js";
import { fuzzed } from "./scenarios/fuzzed-frames.js";
import { leaderKilled } from "./scenarios/leader-killed.js";
import { linkHarmed, linksDropped } from "./scenarios/link-harmed.js";
import { linkSteps } from "./scenarios/link-steps.js";
import { partLost } from "./scenarios/part-lost.js";
import { poisonMessage } from "./scenarios/poison-message.js";
import { processKilled } from "./scenarios/process-killed.js";
import { readerGone } from "./scenarios/reader-gone.js";
import { requestProcessKilled } from "./scenarios/request-process-killed.js";
import { streamResumed } from "./scenarios/stream-resumed.js";

/** All of them, in the order in which they run. */
export const SCENARIOS: readonly FaultScenario[] = [
  brokerKilled,
  fileFailed,
  brokerFrozen,
  brokerFrozenForGood,
  linkHarmed,
  linkSteps,
  linksDropped,
  partLost,
  memoryAlarm,
  diskAlarm,
  streamResumed,
  ...processKilled,
  ...requestProcessKilled,
  ...drained,
  ...poisonMessage,
  ...deadlyMessage,
  ...fuzzed,
  ...fuzzedGateway,
  ...diskFull,
  fileDamaged,
  fileLocked,
  ...readerGone,
  // Three nodes start: beside it are the rounds on the shared node that count no seconds.
  leaderKilled,
];
