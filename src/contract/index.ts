export type { CapabilityCondition, CapabilityName, ContractCase, Need } from "./case.js";
export { type ContractFamily, contractCases, contractFamilies } from "./cases.js";
export type { ContractContext } from "./context.js";
export type { ClientSink, ClientStream, EventsUnderTest } from "./events/events-under-test.js";
export type {
  AdapterHarness,
  HarnessFaults,
  HarnessMessagingOptions,
  HarnessRequestSink,
  TestRunner,
} from "./harness.js";
export { runCase } from "./run-case.js";
export { contractTests, type NotVerified, notVerified, verifiedCases } from "./suite.js";
