import { reachCases } from "./broadcast/reach.js";
import { subscriptionCases } from "./broadcast/subscription.js";
import type { ContractCase } from "./case.js";
import { connectionCloseCases } from "./connection/close.js";
import { stateCases } from "./connection/states.js";
import { driverConnectionCases } from "./driver/connection.js";
import { driverConsumerCases } from "./driver/consumer.js";
import { driverFrameCases } from "./driver/frames.js";
import { driverLaneCases } from "./driver/lanes.js";
import { driverQueueCases } from "./driver/queue.js";
import { closeCases } from "./queue/close.js";
import { consumeCases } from "./queue/consume.js";
import { deadLetterCases } from "./queue/dead-letter.js";
import { laneCases } from "./queue/lanes.js";
import { lostBrokerCases } from "./queue/lost-broker.js";
import { lostLinkCases } from "./queue/lost-link.js";
import { pauseCases } from "./queue/pause.js";
import { publishCases } from "./queue/publish.js";
import { refusalCases } from "./queue/refusals.js";
import { settleCases } from "./queue/settle.js";
import { timingCases } from "./queue/timing.js";
import { abortCases } from "./request-sink/aborts.js";
import { badInputCases } from "./request-sink/bad-input.js";
import { bodyLimitCases } from "./request-sink/body-limits.js";
import { callFormCases } from "./request-sink/call-forms.js";
import { callCases } from "./request-sink/calls.js";
import { capacityCases } from "./request-sink/capacity.js";
import { codecCases } from "./request-sink/codecs.js";
import { creditCases } from "./request-sink/credit.js";
import { deadlineCases } from "./request-sink/deadlines.js";
import { fragmentCases } from "./request-sink/fragments.js";
import { fuzzCases } from "./request-sink/fuzz.js";
import { lendingCases } from "./request-sink/lending.js";
import { lifeCases } from "./request-sink/life.js";
import { lostFrameCases } from "./request-sink/lost-frames.js";
import { lostCallLinkCases } from "./request-sink/lost-links.js";
import { redeliveryCases } from "./request-sink/redelivery.js";
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
      ...closeCases,
      ...lostLinkCases,
      ...lostBrokerCases,
      ...laneCases,
    ],
  },
  {
    letter: "R",
    title: "RequestSink",
    cases: [
      ...callCases,
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
      ...stopCases,
      ...versionCases,
      ...fragmentCases,
      ...bodyLimitCases,
      ...codecCases,
      ...badInputCases,
      ...fuzzCases,
    ],
  },
  { letter: "B", title: "Broadcast", cases: [...reachCases, ...subscriptionCases] },
  { letter: "C", title: "Connection", cases: [...stateCases, ...connectionCloseCases, ...traitCases] },
  {
    letter: "D",
    title: "Driver",
    cases: [
      ...driverQueueCases,
      ...driverConsumerCases,
      ...driverFrameCases,
      ...driverConnectionCases,
      ...driverLaneCases,
    ].map(needsDriver),
  },
];

export const contractCases: readonly ContractCase[] = contractFamilies.flatMap(({ cases }) => cases);
