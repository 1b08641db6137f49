import type { RequestSink, ServeOptions } from "../ports/request-sink.js";

/** A sink that the server of a process serves on the broker, bound as `TOKENS.Sink`. */
export interface ServedSink {
  readonly name: string;
  readonly sink: RequestSink<unknown, unknown>;
  /** As for `messaging.serve`. Default: raw bytes, and what is default there. */
  readonly options?: ServeOptions<unknown, unknown> | undefined;
}
