import type { ServerInterceptingCall } from "@grpc/grpc-js";
import type { MessagingError } from "../../../src/errors/messaging-error.js";
import type { Clock } from "../../../src/ports/clock.js";
import type { StrictRequests } from "../strict-requests.js";
import type { Authentication } from "./authentication.js";
import type { Caller } from "./caller.js";
import type { CertificateNames } from "./certificate-names.js";
import type { Refusals } from "./refusals.js";
import type { RpcRule } from "./rpc-rules.js";

/** Why a call is not taken now. */
export interface NotAdmitted {
  readonly error: MessagingError;
  /** When to try again, in milliseconds; told to the client. */
  readonly retryInMs?: number | undefined;
  /** For those who watch: one of a few texts. Default: the text of the error. */
  readonly reason?: string | undefined;
}

/** Says for each call whether there is room for it, once it is known who makes it. */
export interface Admission {
  admit(caller: Caller, path: string): NotAdmitted | undefined;
  /** Once for each call that was admitted, however it ends. */
  ended?(caller: Caller, path: string): void;
}

export type ConnectionInfo = ReturnType<ServerInterceptingCall["getConnectionInfo"]>;

export interface GuardOptions {
  readonly rules: ReadonlyMap<string, RpcRule>;
  readonly authentication: Authentication;
  /** Of the client of a connection, if it has a certificate. */
  certificateOf(connection: ConnectionInfo): CertificateNames | undefined;
  readonly admission?: Admission | undefined;
  readonly requests: StrictRequests;
  readonly refusals: Refusals;
  readonly clock: Clock;
  readonly refusalDelayMs: number;
}
