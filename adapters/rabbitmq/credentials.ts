import { inspect } from "node:util";
import { MessagingError } from "../../src/errors/messaging-error.js";
import { errorText } from "../../src/util/error-text.js";
import { machineClock } from "../../src/util/machine-clock.js";

/** A user and what proves it: a password, or a token. */
export interface RabbitmqCredentials {
  readonly username: string;
  readonly password: string;
  /** How long they are good for, in milliseconds from when the callback answers; before that they are asked for again. Default: for ever. */
  readonly expiresInMs?: number | undefined;
}

/** Says with what to connect: now, and each time anew. */
export type RabbitmqCredentialsSource = () => RabbitmqCredentials | Promise<RabbitmqCredentials>;

/** What is kept of credentials once they have been used: whose they are, and for how long. */
export interface CredentialsTerm {
  readonly username: string;
  /** From `answeredAt` on. */
  readonly expiresInMs: number | undefined;
  /** By the machine's clock. */
  readonly answeredAt: number;
}

export interface AskedCredentials extends CredentialsTerm {
  readonly password: string;
}

/**
 * What the source says, checked. Rejects with `UNAVAILABLE` when it fails, with the signal's reason when it takes too long.
 * Of what it resolves with nothing is part of an error, of what it throws the text alone.
 */
export async function askForCredentials(
  source: RabbitmqCredentialsSource,
  signal: AbortSignal,
): Promise<AskedCredentials> {
  signal.throwIfAborted();
  const asked = (async () => source())();
  // Whatever comes of it later is not waited for.
  asked.catch(() => {});
  let forget = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    const give = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", give, { once: true });
    forget = () => signal.removeEventListener("abort", give);
  });
  let read: Secret | string;
  try {
    read = readSecret(await Promise.race([asked, aborted]));
  } catch (thrown) {
    signal.throwIfAborted();
    const text = errorText(thrown);
    // Not what was thrown: an HTTP client's errors hold the whole request, with what it was authorised by.
    throw new MessagingError("UNAVAILABLE", `the credentials callback failed: ${text}`, { cause: new Error(text) });
  } finally {
    forget();
  }
  if (typeof read === "string") throw new MessagingError("INVALID_ARGUMENT", `the credentials callback: ${read}`);
  return read;
}

/** Without the password. */
export function termOf({ username, expiresInMs, answeredAt }: CredentialsTerm): CredentialsTerm {
  return { username, expiresInMs, answeredAt };
}

/** What is wrong with it, as a text. */
function readSecret(given: unknown): Secret | string {
  const { username, password, expiresInMs } = (typeof given === "object" && given !== null ? given : {}) as Record<
    string,
    unknown
  >;
  if (typeof username !== "string" || username === "" || typeof password !== "string") {
    return "it must resolve to { username, password }, both texts";
  }
  if (expiresInMs !== undefined && !(typeof expiresInMs === "number" && expiresInMs > 0)) {
    return "expiresInMs must be a number of milliseconds above 0, or left out";
  }
  return new Secret(username, password, expiresInMs === Number.POSITIVE_INFINITY ? undefined : expiresInMs);
}

/** Shows nothing of itself when it is printed by mistake. */
class Secret implements AskedCredentials {
  readonly username: string;
  readonly #password: string;
  readonly expiresInMs: number | undefined;
  readonly answeredAt = machineClock.now();

  constructor(username: string, password: string, expiresInMs: number | undefined) {
    this.username = username;
    this.#password = password;
    this.expiresInMs = expiresInMs;
  }

  get password(): string {
    return this.#password;
  }

  [inspect.custom](): string {
    return "Secret";
  }

  toJSON(): string {
    return "Secret";
  }
}
