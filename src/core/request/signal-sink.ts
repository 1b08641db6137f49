import type { RequestContext, RequestMessage, RequestSink } from "../../ports/request-sink.js";
import { asMessagingError } from "./as-messaging-error.js";

/**
 * A sink that hears of the end of each call from the context it was given, and is told in no other way: its `abort` is for its own
 * callers, who may use the callId of a call that was passed on.
 */
export interface ContextHearing {
  readonly hearsContexts: true;
}

/**
 * Gives a sink its request. A sink must not throw; one that does, or that is an async function and rejects, has failed the
 * call, and harms nothing else. `onThrown` is told, too.
 */
export function signalSink<Req, Res>(
  sink: RequestSink<Req, Res>,
  message: RequestMessage<Req>,
  context: RequestContext<Res>,
  onThrown: (thrown: unknown) => void = () => {},
): void {
  guarded(
    () => sink.signal(message, context),
    (thrown) => {
      onThrown(thrown);
      context.fail(asMessagingError(thrown));
    },
  );
}

/** Asks the sink to give a call up whose signal has aborted. Best effort: what goes wrong is told, and no more. */
export function abortSink<Req, Res>(
  sink: RequestSink<Req, Res>,
  callId: string,
  onThrown: (thrown: unknown) => void = () => {},
): void {
  if (hearsContexts(sink)) return;
  guarded(() => sink.abort(callId), onThrown);
}

function hearsContexts(sink: object): sink is ContextHearing {
  return "hearsContexts" in sink && sink.hearsContexts === true;
}

function guarded(run: () => unknown, onThrown: (thrown: unknown) => void): void {
  try {
    const returned = run();
    if (returned instanceof Promise) returned.catch(onThrown);
  } catch (thrown) {
    onThrown(thrown);
  }
}
