/** The rule of `respond` and of deadlines holds on every transport; it is written once, in core. */

export { ACCEPTED, OVER } from "../../src/core/request/accepted.js";
export { asMessagingError } from "../../src/core/request/as-messaging-error.js";
export { Deadline } from "../../src/core/request/deadline.js";
export { ResponseGate } from "../../src/core/request/response-gate.js";
export { SharedTimers } from "../../src/core/request/shared-timers.js";
export { abortSink, signalSink } from "../../src/core/request/signal-sink.js";
