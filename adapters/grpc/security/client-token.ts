import { credentials, InterceptingCall, type Interceptor, Metadata, status } from "@grpc/grpc-js";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import { errorText } from "../../../src/util/error-text.js";
import { machineClock } from "../../../src/util/machine-clock.js";

/** Asked for each call. */
export type TokenSource = () => string | Promise<string>;

/** What goes into the metadata `authorization`; undefined for what cannot. */
export function bearerOf(token: unknown): string | undefined {
  return typeof token === "string" && /^[\x21-\x7e]+$/.test(token) ? `Bearer ${token}` : undefined;
}

const LONGEST_MS = 30_000;

/** Asks for the token. Rejects with `UNAUTHENTICATED`, in which it does not stand, if there is none to be had within 30 s. */
export async function askToken(source: TokenSource): Promise<string> {
  let token: unknown;
  try {
    const asked = source();
    token = typeof asked === "string" ? asked : await settled(asked);
  } catch (cause) {
    throw new MessagingError("UNAUTHENTICATED", `the token function failed: ${errorText(cause)}`, { cause });
  }
  const bearer = bearerOf(token);
  if (bearer !== undefined) return bearer;
  const text = "the token function gave no text of visible ASCII characters without spaces";
  throw new MessagingError("UNAUTHENTICATED", text);
}

/** As the promise, which may never settle: a call must not wait for ever. */
function settled(asked: Promise<string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const cancel = machineClock.setTimer(LONGEST_MS, () => reject(new Error(`it gave none within ${LONGEST_MS} ms`)));
    Promise.resolve(asked).then(resolve, reject).finally(cancel);
  });
}

/** Sends the token with each call. Without one the call fails with UNAUTHENTICATED. */
export function tokenInterceptor(source: TokenSource): Interceptor {
  const own = credentials.createFromMetadataGenerator((_, done) => {
    askToken(source).then(
      (bearer) => {
        const metadata = new Metadata();
        metadata.set("authorization", bearer);
        done(null, metadata);
      },
      (error: unknown) => done(Object.assign(new Error(errorText(error)), { code: status.UNAUTHENTICATED })),
    );
  });
  // On plaintext the library takes them for a call, not for a channel.
  return (options, next) => new InterceptingCall(next({ ...options, credentials: own }));
}
