const BRAND = Symbol.for("fairlead.MessagingError");

const RETRYABLE = {
  INVALID_ARGUMENT: false,
  UNSUPPORTED: false,
  CLOSED: false,
  NOT_FOUND: false,
  ALREADY_EXISTS: false,
  PERMISSION_DENIED: false,
  UNAUTHENTICATED: false,
  UNAVAILABLE: true,
  UNROUTABLE: false,
  REJECTED: true,
  TIMEOUT: false,
  ABORTED: false,
  TOO_LARGE: false,
  MALFORMED: false,
  REMOTE: false,
  DATA_LOSS: false,
  INTERNAL: false,
  UNKNOWN: false,
} as const satisfies Record<string, boolean>;

/** Act upon the code, never upon the text. */
export type ErrorCode = keyof typeof RETRYABLE;

export interface MessagingErrorOptions {
  /** What made it, kept whole. */
  readonly cause?: unknown;
  /** Default: by code. */
  readonly retryable?: boolean | undefined;
}

/**
 * The one error class that crosses a port. Recognised by a brand, so that two copies of the package in one process
 * understand each other.
 */
export class MessagingError extends Error {
  override readonly name = "MessagingError";
  readonly code: ErrorCode;
  /** True when the same thing, tried again later, may well succeed. */
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: MessagingErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? RETRYABLE[code];
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** Whether `value` is a MessagingError, of this code if one is given. */
  static is(value: unknown, code?: ErrorCode): value is MessagingError {
    if (typeof value !== "object" || value === null || !(BRAND in value)) return false;
    return code === undefined || ("code" in value && value.code === code);
  }

  /** Whether the text is one of the codes: another process may speak of codes that this one does not know. */
  static isCode(text: string): text is ErrorCode {
    return Object.hasOwn(RETRYABLE, text);
  }
}
