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
import { bodyCases } from "./request-sink/bodies.js";
import { callCases } from "./request-sink/calls.js";
import { capacityCases } from "./request-sink/capacity.js";
import { flowCases } from "./request-sink/flow.js";
import { lossCases } from "./request-sink/losses.js";
import { timeCases } from "./request-sink/time.js";
import { versionCases } from "./request-sink/versions.js";
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
      ...abortCases,
      ...flowCases,
      ...timeCases,
      ...capacityCases,
      ...lossCases,
      ...versionCases,
      ...bodyCases,
      ...badInputCases,
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
