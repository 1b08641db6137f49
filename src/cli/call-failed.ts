/** The gRPC status codes that decide something here. */
const STATUS_NAMES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

export type StatusName = (typeof STATUS_NAMES)[number];

/** A call to the server that did not end with OK. */
export class CallFailed extends Error {
  override readonly name = "CallFailed";
  readonly status: StatusName;

  constructor(status: StatusName, details: string, options?: ErrorOptions) {
    super(details, options);
    this.status = status;
  }

  /** From what the gRPC library hands over. */
  static of(error: unknown): CallFailed {
    if (error instanceof CallFailed) return error;
    const fields: { readonly code?: unknown; readonly details?: unknown } =
      typeof error === "object" && error !== null ? error : {};
    const status = STATUS_NAMES[Number(fields.code)] ?? "UNKNOWN";
    const details = typeof fields.details === "string" && fields.details !== "" ? fields.details : String(error);
    // The library adds this note also where there is nothing to note.
    const text = details.replace(/\.? *Resolution note: *$/, "");
    return new CallFailed(status, text, { cause: error });
  }

  /** The same, saying what was attempted and what to look at. */
  during(what: string, hint = ""): CallFailed {
    return new CallFailed(this.status, `${what}: ${this.message}${hint} (${this.status})`, { cause: this.cause });
  }
}
