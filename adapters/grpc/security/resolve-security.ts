import { isIP } from "node:net";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import { isLoopback } from "../../../src/util/loopback.js";
import { type GrpcTlsOptions, type ResolvedTls, resolveTls } from "./server-tls.js";
import { type Entry, parseTokenEntries, readTokenEntries, type TokenEntries } from "./token-entries.js";

/** Who may call, and what: given, each call needs a bearer token, or a client certificate, that has an entry. */
export interface GrpcTokensOptions {
  /** The path of a JSON file of entries by name, which is read anew when it changes. */
  readonly file?: string | undefined;
  /** In place of the file: the entries, or JSON text of them. */
  readonly entries?: TokenEntries | string | undefined;
}

export interface GrpcSecurityOptions {
  /** Given: the server speaks TLS, 1.2 or later, and nothing else. Default: plaintext. */
  readonly tls?: GrpcTlsOptions | undefined;
  /** Default: none, and whoever can connect may do everything. */
  readonly tokens?: GrpcTokensOptions | undefined;
  /** Listens on addresses that others reach also without TLS and authentication. Default false. */
  readonly insecure?: boolean | undefined;
}

export interface ResolvedGrpcSecurity {
  readonly tls: ResolvedTls | undefined;
  readonly tokens: { readonly file: string } | { readonly entries: readonly Entry[] } | undefined;
  readonly insecure: boolean;
}

/** Adds what is wrong to the faults. Files are not read yet. */
export function resolveSecurity(
  { tls, tokens, insecure = false }: GrpcSecurityOptions,
  faults: string[],
): ResolvedGrpcSecurity {
  if (typeof insecure !== "boolean") faults.push("insecure must be true or false");
  return { tls: resolveTls(tls, faults), tokens: resolveTokens(tokens, faults), insecure: insecure === true };
}

/** Throws `INVALID_ARGUMENT` if others could reach one of the addresses, and nothing keeps them out. */
export function checkAddresses(
  { host, addresses }: { readonly host: string; readonly addresses: readonly string[] },
  { tls, tokens, insecure }: ResolvedGrpcSecurity,
): void {
  const fault = insecure ? undefined : addressFault(host, addresses, { tls, tokens });
  if (fault !== undefined) throw new MessagingError("INVALID_ARGUMENT", `grpc: ${fault}`);
}

/** As `checkAddresses`, for a host that is an address. One that is a name is looked up when it is listened on. */
export function literalAddressFault(host: string, { tls, tokens, insecure }: ResolvedGrpcSecurity): string | undefined {
  return insecure || isIP(host) === 0 ? undefined : addressFault(host, [host], { tls, tokens });
}

function addressFault(
  host: string,
  addresses: readonly string[],
  { tls, tokens }: Pick<ResolvedGrpcSecurity, "tls" | "tokens">,
): string | undefined {
  const open = addresses.find((address) => !isLoopback(address));
  if (open === undefined) return undefined;
  const missing = [
    ...(tls === undefined ? ["TLS (tls.certFile and tls.keyFile; --tls-cert, --tls-key)"] : []),
    ...(tokens === undefined && tls?.clientCa === undefined
      ? ["authentication (tokens or tls.clientCaFile; --tokens-file or --tls-client-ca)"]
      : []),
  ];
  if (missing.length === 0) return undefined;
  const what = open === host ? "" : `, which is ${open},`;
  return (
    `listen ${host}${what} can be reached by others, so it needs ${missing.join(" and ")}; ` +
    "listen on 127.0.0.1, or say insecure: true (--insecure) if something else keeps them out"
  );
}

function resolveTokens(raw: GrpcTokensOptions | undefined, faults: string[]): ResolvedGrpcSecurity["tokens"] {
  if (raw === undefined) return undefined;
  if (typeof raw !== "object" || raw === null) {
    faults.push("tokens must be { file } or { entries }");
    return undefined;
  }
  for (const key of Object.keys(raw)) {
    if (key !== "file" && key !== "entries") faults.push(`unknown tokens option ${key}; known are file, entries`);
  }
  const { file, entries } = raw;
  if ((file === undefined) === (entries === undefined)) faults.push("tokens: give one of file and entries");
  if (file !== undefined && (typeof file !== "string" || file === "")) faults.push("tokens.file must be a path");
  if (entries === undefined) return { file: file ?? "" };
  const found: string[] = [];
  const read = typeof entries === "string" ? parseTokenEntries(entries, found) : readTokenEntries(entries, found);
  faults.push(...found.map((fault) => `tokens.entries: ${fault}`));
  return { entries: read };
}
