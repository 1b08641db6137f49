import { comebackCases as subscriptionComebackCases } from "./broadcast/comebacks.js";
import { reachCases } from "./broadcast/reach.js";
import { subscriptionCases } from "./broadcast/subscription.js";
import type { ContractCase } from "./case.js";
import { blockCases } from "./connection/blocks.js";
import { connectionCloseCases } from "./connection/close.js";
import { cutCases } from "./connection/cuts.js";
import { freezeCases } from "./connection/freezes.js";
import { growthCases } from "./connection/growth.js";
import { restartCases } from "./connection/restarts.js";
import { stateCases } from "./connection/states.js";
import { driverConnectionCases } from "./driver/connection.js";
import { driverConsumerCases } from "./driver/consumer.js";
import { driverFrameCases } from "./driver/frames.js";
import { driverLaneCases } from "./driver/lanes.js";
import { driverLossCases } from "./driver/losses.js";
import { driverQueueCases } from "./driver/queue.js";
import { driverTakingCases } from "./driver/taking.js";
import { ackCases } from "./events/acks.js";
import { boundCases } from "./events/bounds.js";
import { closeClientCases } from "./events/close-client.js";
import { creditCases as eventCreditCases } from "./events/credit.js";
import { drainCases } from "./events/drain.js";
import { goneServerCases } from "./events/gone-servers.js";
import { postIdCases } from "./events/post-ids.js";
import { postCases } from "./events/posts.js";
import { retryCases } from "./events/retries.js";
import { serverCases } from "./events/servers.js";
import { sharingCases } from "./events/sharing.js";
import { subscriberCases } from "./events/subscribers.js";
import { closeCases } from "./queue/close.js";
import { comebackCases as consumerComebackCases } from "./queue/comebacks.js";
import { consumeCases } from "./queue/consume.js";
import { deadLetterCases } from "./queue/dead-letter.js";
import { deduplicationCases } from "./queue/deduplication.js";
import { holdTimeCases } from "./queue/hold-time.js";
import { inspectionCases } from "./queue/inspection.js";
import { laneCases } from "./queue/lanes.js";
import { lostBrokerCases } from "./queue/lost-broker.js";
import { lostLinkCases } from "./queue/lost-link.js";
import { movingCases } from "./queue/moving.js";
import { pauseCases } from "./queue/pause.js";
import { publishCases } from "./queue/publish.js";
import { refusalCases } from "./queue/refusals.js";
import { settleCases } from "./queue/settle.js";
import { storedCases } from "./queue/stored.js";
import { timingCases } from "./queue/timing.js";
import { abortCases } from "./request-sink/aborts.js";
import { badInputCases } from "./request-sink/bad-input.js";
import { bodyLimitCases } from "./request-sink/body-limits.js";
import { callEndCases } from "./request-sink/call-ends.js";
import { callFormCases } from "./request-sink/call-forms.js";
import { callCases } from "./request-sink/calls.js";
import { capacityCases } from "./request-sink/capacity.js";
import { codecCases } from "./request-sink/codecs.js";
import { comebackCases as callComebackCases } from "./request-sink/comebacks.js";
import { creditCases } from "./request-sink/credit.js";
import { deadlineCases } from "./request-sink/deadlines.js";
import { fragmentCases } from "./request-sink/fragments.js";
import { fuzzCases } from "./request-sink/fuzz.js";
import { keptCallCases } from "./request-sink/kept-calls.js";
import { lendingCases } from "./request-sink/lending.js";
import { lifeCases } from "./request-sink/life.js";
import { lostFrameCases } from "./request-sink/lost-frames.js";
import { lostCallLinkCases } from "./request-sink/lost-links.js";
import { lostServerCases } from "./request-sink/lost-servers.js";
import { namedCallCases } from "./request-sink/named-calls.js";
import { redeliveryCases } from "./request-sink/redelivery.js";
import { repeatedResumeCases } from "./request-sink/repeated-resumes.js";
import { resumedClientCases } from "./request-sink/resumed-clients.js";
import { resumedFrameCases } from "./request-sink/resumed-frames.js";
import { resumedLinkCases } from "./request-sink/resumed-links.js";
import { resumedServerCases } from "./request-sink/resumed-servers.js";
import { stopCases } from "./request-sink/stop.js";
import { unknownCallCases } from "./request-sink/unknown-calls.js";
import { versionCases } from "./request-sink/versions.js";
import { windowCases } from "./request-sink/window.js";
import { traitCases } from "./traits/operations.js";

export interface ContractFamily {
  /** The first letter of the ids. */
  readonly letter: string;
  readonly title: string;
  readonly cases: readonly ContractCase[];
}

const needsDriver = (subject: ContractCase): ContractCase => ({
  ...subject,
  needs: ["createDriver", ...(subject.needs ?? [])],
});

export const contractFamilies: readonly ContractFamily[] = [
  {
    letter: "Q",
    title: "Queue",
    cases: [
      ...publishCases,
      ...refusalCases,
      ...consumeCases,
      ...settleCases,
      ...deadLetterCases,
      ...timingCases,
      ...pauseCases,
      ...holdTimeCases,
      ...closeCases,
      ...lostLinkCases,
      ...lostBrokerCases,
      ...consumerComebackCases,
      ...laneCases,
      ...inspectionCases,
      ...movingCases,
      ...storedCases,
      ...deduplicationCases,
    ],
  },
  {
    letter: "R",
    title: "RequestSink",
    cases: [
      ...callCases,
      ...callEndCases,
      ...callFormCases,
      ...abortCases,
      ...unknownCallCases,
      ...windowCases,
      ...creditCases,
      ...deadlineCases,
      ...lifeCases,
      ...capacityCases,
      ...lendingCases,
      ...redeliveryCases,
      ...lostFrameCases,
      ...lostCallLinkCases,
      ...lostServerCases,
      ...resumedLinkCases,
      ...repeatedResumeCases,
      ...namedCallCases,
      ...resumedFrameCases,
      ...resumedServerCases,
      ...keptCallCases,
      ...resumedClientCases,
      ...callComebackCases,
      ...stopCases,
      ...versionCases,
      ...fragmentCases,
      ...bodyLimitCases,
      ...codecCases,
      ...badInputCases,
      ...fuzzCases,
    ],
  },
  { letter: "B", title: "Broadcast", cases: [...reachCases, ...subscriptionCases, ...subscriptionComebackCases] },
  {
    letter: "C",
    title: "Connection",
    cases: [
      ...stateCases,
      ...connectionCloseCases,
      ...cutCases,
      ...freezeCases,
      ...blockCases,
      ...restartCases,
      ...growthCases,
      ...traitCases,
    ],
  },
  {
    letter: "D",
    title: "Driver",
    cases: [
      ...driverQueueCases,
      ...driverConsumerCases,
      ...driverFrameCases,
      ...driverConnectionCases,
      ...driverLaneCases,
      ...driverTakingCases,
      ...driverLossCases,
    ].map(needsDriver),
  },
  {
    letter: "E",
    title: "Events",
    cases: [
      ...postCases,
      ...postIdCases,
      ...sharingCases,
      ...eventCreditCases,
      ...ackCases,
      ...retryCases,
      ...subscriberCases,
      ...closeClientCases,
      ...serverCases,
      ...goneServerCases,
      ...drainCases,
      ...boundCases,
    ],
  },
];

export const contractCases: readonly ContractCase[] = contractFamilies.flatMap(({ cases }) => cases);
