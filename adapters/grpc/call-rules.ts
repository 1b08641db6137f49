/** The rules of `respond`, of deadlines and of names hold on every transport; they are written once, in core. */

export { ACCEPTED, OVER } from "../../src/core/request/accepted.js";
export { asMessagingError } from "../../src/core/request/as-messaging-error.js";
export { callName } from "../../src/core/request/call-name.js";
export { Deadline } from "../../src/core/request/deadline.js";
export { ResponseGate } from "../../src/core/request/response-gate.js";
export { SharedTimers } from "../../src/core/request/shared-timers.js";
export { abortSink, type ContextHearing, signalSink } from "../../src/core/request/signal-sink.js";
