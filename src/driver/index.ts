export { consumeAllLanes, LANES } from "./consume-all-lanes.js";
export { type Death, deadLetterHeaders } from "./dead-letter-headers.js";
export type {
  Address,
  CheckedSelection,
  ConnectOptions,
  DeliveryPlace,
  Driver,
  DriverConnection,
  DriverConsumeOptions,
  DriverConsumer,
  DriverInbox,
  DriverResource,
  DriverStore,
  QueueSpec,
  StoredMessageView,
  StoredMove,
  WireDelivery,
  WireMessage,
  WireSettlement,
} from "./driver.js";
export { FRAME, FRAME_HEADER } from "./request-frames.js";
export {
  DEAD_AT_HEADER,
  DEAD_ATTEMPTS_HEADER,
  DEAD_QUEUE_HEADER,
  DEAD_REASON_HEADER,
  FAILURES_HEADER,
  LOSSES_HEADER,
  RELEASED_HEADER,
  RESERVED_PREFIX,
} from "./reserved-headers.js";
