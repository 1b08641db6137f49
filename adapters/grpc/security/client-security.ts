import { type ChannelCredentials, type ClientOptions, credentials } from "@grpc/grpc-js";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import { errorText } from "../../../src/util/error-text.js";
import { isLoopbackHost } from "../../../src/util/loopback.js";
import { bearerOf, type TokenSource, tokenInterceptor } from "./client-token.js";

/** PEM texts. */
export interface ClientTls {
  /** Whom to trust. Default: what Node.js trusts. */
  readonly ca?: string | Uint8Array | undefined;
  /** The client's own certificate and its key, for servers that want one: both or neither. */
  readonly certificate?: string | Uint8Array | undefined;
  readonly key?: string | Uint8Array | undefined;
  /** The name in the server's certificate. Default: the host of its address. */
  readonly serverName?: string | undefined;
}

/** How a client talks to its server, and as whom. */
export interface ClientSecurityOptions {
  /** True: encrypted, with what Node.js trusts. Default false: plaintext. */
  readonly tls?: boolean | ClientTls | undefined;
  /**
   * Sent with each call as `authorization: Bearer …`. A function is asked for each call, so that tokens may change. Over
   * plaintext only to this machine itself, unless `plaintextToken` says otherwise.
   */
  readonly token?: string | TokenSource | undefined;
  /** Sends the token over plaintext to other machines, too, where everybody on the way can read it. Default false. */
  readonly plaintextToken?: boolean | undefined;
}

export interface ClientSecurity {
  /** Undefined: plaintext. */
  readonly tls: ClientTls | undefined;
  readonly token: TokenSource | undefined;
}

const TLS_KEYS: Readonly<Record<keyof ClientTls, true>> = { ca: true, certificate: true, key: true, serverName: true };

/** Adds what is wrong to the faults. `servers`: `host:port` each. */
export function resolveClientSecurity(
  { tls: rawTls, token: rawToken, plaintextToken = false }: ClientSecurityOptions,
  servers: readonly string[],
  faults: string[],
): ClientSecurity {
  const tls = readTls(rawTls, faults);
  const token = readToken(rawToken, faults);
  if (typeof plaintextToken !== "boolean") faults.push("plaintextToken must be true or false");
  if (token !== undefined && tls === undefined && plaintextToken !== true && !servers.every(isOnThisMachine)) {
    faults.push("token would travel in plaintext: set tls, or use a server on this machine, or set plaintextToken");
  }
  return { tls, token };
}

/** What a channel is made with. Throws `INVALID_ARGUMENT` for certificates that cannot be used. */
export function channelCredentials({ tls }: ClientSecurity, what: string): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  const { ca, key, certificate } = tls;
  try {
    return credentials.createSsl(bufferOf(ca), bufferOf(key), bufferOf(certificate));
  } catch (cause) {
    throw new MessagingError("INVALID_ARGUMENT", `${what}: tls cannot be used: ${errorText(cause)}`, { cause });
  }
}

/** What the channel to this server, `host:port`, is told beside its credentials. */
export function channelOptions({ tls }: ClientSecurity, server: string): ClientOptions {
  const name = tls?.serverName;
  return {
    // The name that the server's certificate must have, if it is another than that of its address.
    ...(name === undefined ? {} : { "grpc.ssl_target_name_override": name, "grpc.default_authority": name }),
    // The library would send to the proxy of `http_proxy` also what is for this machine, a token in plaintext with it.
    ...(isOnThisMachine(server) ? { "grpc.enable_http_proxy": 0 } : {}),
  };
}

/** As `channelCredentials` and `channelOptions`, and options that send the token with every call of the client. */
export function secureClient(
  security: ClientSecurity,
  server: string,
  what: string,
): { readonly credentials: ChannelCredentials; readonly options: ClientOptions } {
  const { token } = security;
  return {
    credentials: channelCredentials(security, what),
    options: {
      ...channelOptions(security, server),
      ...(token === undefined ? {} : { interceptors: [tokenInterceptor(token)] }),
    },
  };
}

function isOnThisMachine(server: string): boolean {
  return isLoopbackHost(server.slice(0, server.lastIndexOf(":")));
}

function readTls(raw: ClientSecurityOptions["tls"], faults: string[]): ClientTls | undefined {
  if (raw === undefined || raw === false) return undefined;
  if (raw === true) return {};
  if (typeof raw !== "object" || raw === null) {
    faults.push("tls must be true, false or { ca, certificate, key, serverName }");
    return undefined;
  }
  for (const key of Object.keys(raw)) {
    if (!Object.hasOwn(TLS_KEYS, key))
      faults.push(`unknown tls option ${key}; known are ${Object.keys(TLS_KEYS).join(", ")}`);
  }
  if ((raw.certificate === undefined) !== (raw.key === undefined)) {
    faults.push("tls.certificate and tls.key belong together: give both or neither");
  }
  return raw;
}

function readToken(raw: ClientSecurityOptions["token"], faults: string[]): TokenSource | undefined {
  if (raw === undefined || typeof raw === "function") return raw;
  if (bearerOf(raw) !== undefined) return () => raw;
  // What it is must not be told.
  faults.push("token must be a function, or a text of visible ASCII characters without spaces");
  return undefined;
}

function bufferOf(pem: string | Uint8Array | undefined): Buffer | null {
  return pem === undefined ? null : Buffer.from(pem);
}
