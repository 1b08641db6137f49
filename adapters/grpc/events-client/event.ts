/** One attempt to hand over one event. */
export interface ReceivedEvent {
  /** As it was posted, byte for byte. */
  readonly body: Uint8Array;
  /** Of whoever posted it. */
  readonly clientId: string;
  /** A signed 64-bit number. */
  readonly searchKey1: bigint;
  /** A signed 64-bit number. */
  readonly searchKey2: bigint;
  /** The one given at the post, the same in every attempt: it tells duplicates. Empty from servers that do not pass it on. */
  readonly token: string;
  /** To the millisecond. Undefined where the server does not tell. */
  readonly effectiveDate: Date | undefined;
  /** 1 + the failed attempts before. Undefined where the server does not tell. */
  readonly attempt: number | undefined;
  /** Aborts when the stream that brought it is lost, so that another subscriber may get it, or when `drainMs` is over. */
  readonly signal: AbortSignal;
  /** The body as JSON. Throws a SyntaxError for what is none. */
  json(): unknown;
}

export interface PostEventOptions {
  /** Not delivered before. Default, and for any date in the past: now. */
  readonly effectiveDate?: Date | undefined;
  /** A signed 64-bit number. Default 0. */
  readonly searchKey1?: bigint | undefined;
  /** A signed 64-bit number. Default 0. */
  readonly searchKey2?: bigint | undefined;
  /** Any text of at most 256 bytes; each delivery carries it. Default: the post id. */
  readonly token?: string | undefined;
  /**
   * Names this post, for all its tries: the server stores it once. One that failed with an unknown outcome can be repeated
   * under its id, within 10 minutes. At most 256 bytes. Default: a new UUID.
   */
  readonly postId?: string | undefined;
  /** Overrides the client's `postTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An event is handled when the promise resolves, and refused when it rejects. */
export type EventHandler = (event: ReceivedEvent) => Promise<unknown> | unknown;
