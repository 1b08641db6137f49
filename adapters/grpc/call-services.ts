import type { CallOutput } from "./call-output.js";
import type { SharedTimers } from "./call-rules.js";
import type { OpenCalls } from "./open-calls.js";
import type { PendingRequest } from "./request-upload.js";
import { ServedCall } from "./served-call.js";
import type { Sinks } from "./sinks.js";
import type { StrictRequests } from "./strict-requests.js";

/** What every call of the gateway works with. */
export interface CallServices {
  readonly clock: SharedTimers;
  readonly requests: StrictRequests;
  readonly open: OpenCalls;
  readonly sinks: Sinks;
}

export interface WholeRequest extends PendingRequest {
  readonly body: Uint8Array;
  /** The deadline of the rpc; `Infinity` if it has none. */
  readonly latest: number;
}

/** The call, ready to be given to its sink by `start`. */
export function serveCall(
  { clock, open }: CallServices,
  { request, body, sink, arrivedAt, endsAt, latest }: WholeRequest,
  { output, takenByTransport }: { readonly output: CallOutput; readonly takenByTransport: boolean },
): { readonly served: ServedCall; start(): void } {
  const callId = open.takeCallId(request.callId);
  const served = new ServedCall({
    clock,
    callId,
    request,
    sink,
    output,
    timeoutMs: Math.max(0, endsAt - clock.now()),
    latest,
    takenByTransport,
    onOver: () => open.releaseCallId(callId),
  });
  const { headers, contentType, priority, idempotent, timestamp = arrivedAt } = request;
  return {
    served,
    start: () => served.start({ callId, body, headers, contentType, priority, idempotent, timestamp }),
  };
}
