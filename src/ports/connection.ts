import type { Capabilities } from "./capabilities.js";
import type { Closeable } from "./lifecycle.js";

export type ConnectionState = "idle" | "connecting" | "open" | "reconnecting" | "closing" | "closed";

export interface Connection extends Closeable {
  readonly state: ConnectionState;
  /** True while the broker takes no publishes (a memory or disk alarm). */
  readonly blocked: boolean;
  readonly capabilities: Capabilities;
  /**
   * Resolves when open. Rejects at once with what cannot heal (`UNAUTHENTICATED`, `INVALID_ARGUMENT`, …), otherwise
   * tries again with back-off until the connect timeout, then `UNAVAILABLE`; `ABORTED` by the signal, `CLOSED` after
   * `close()`. Optional: whatever uses the connection opens it. A connection that was open once reconnects by itself,
   * without limit, until it is closed.
   */
  open(options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
}
