import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import { errorText } from "../../../src/util/error-text.js";

/** The server's certificate and key, as files or as PEM text: files are read anew when they change. */
export interface GrpcTlsOptions {
  /** The path of the certificate, its intermediate ones behind it, in PEM. */
  readonly certFile?: string | undefined;
  /** The path of its private key, not encrypted, in PEM. */
  readonly keyFile?: string | undefined;
  /** The path of the authorities that client certificates are checked against; given, each client needs one. */
  readonly clientCaFile?: string | undefined;
  /**
   * The path of what those authorities have revoked, in PEM: one list for each authority in the chain of a client,
   * intermediates included, also of one that has revoked nothing; a missing one, or one out of date, refuses its clients.
   */
  readonly clientCrlFile?: string | undefined;
  /** In place of `certFile`. */
  readonly cert?: string | Uint8Array | undefined;
  /** In place of `keyFile`. */
  readonly key?: string | Uint8Array | undefined;
  /** In place of `clientCaFile`. */
  readonly clientCa?: string | Uint8Array | undefined;
  /** In place of `clientCrlFile`. */
  readonly clientCrl?: string | Uint8Array | undefined;
}

const TLS_KEYS: Readonly<Record<keyof GrpcTlsOptions, true>> = {
  certFile: true,
  keyFile: true,
  clientCaFile: true,
  clientCrlFile: true,
  cert: true,
  key: true,
  clientCa: true,
  clientCrl: true,
};

/** One way to give one part. */
export interface TlsPart {
  readonly file: string | undefined;
  readonly pem: Buffer | undefined;
}

export interface ResolvedTls {
  readonly cert: TlsPart;
  readonly key: TlsPart;
  readonly clientCa: TlsPart | undefined;
  readonly clientCrl: TlsPart | undefined;
}

/** Adds what is wrong to the faults; what the files hold is looked at later. */
export function resolveTls(raw: GrpcTlsOptions | undefined, faults: string[]): ResolvedTls | undefined {
  if (raw === undefined) return undefined;
  if (typeof raw !== "object" || raw === null) {
    faults.push("tls must be { certFile, keyFile, clientCaFile }");
    return undefined;
  }
  for (const key of Object.keys(raw)) {
    if (!Object.hasOwn(TLS_KEYS, key))
      faults.push(`unknown tls option ${key}; known are ${Object.keys(TLS_KEYS).join(", ")}`);
  }
  const part = (name: "cert" | "key" | "clientCa" | "clientCrl"): TlsPart | undefined => {
    const file: unknown = raw[`${name}File`];
    const pem: unknown = raw[name];
    if (file !== undefined && pem !== undefined) faults.push(`tls.${name} and tls.${name}File: give one of them`);
    if (file !== undefined && (typeof file !== "string" || file === "")) faults.push(`tls.${name}File must be a path`);
    if (pem !== undefined && typeof pem !== "string" && !(pem instanceof Uint8Array))
      faults.push(`tls.${name} must be PEM text`);
    if (typeof file === "string") return { file, pem: undefined };
    if (typeof pem === "string" || pem instanceof Uint8Array) return { file: undefined, pem: Buffer.from(pem) };
    return undefined;
  };
  const [cert, key, clientCa, clientCrl] = [part("cert"), part("key"), part("clientCa"), part("clientCrl")];
  if (cert === undefined) faults.push("tls.certFile (or tls.cert) is missing");
  if (key === undefined) faults.push("tls.keyFile (or tls.key) is missing");
  if (clientCrl !== undefined && clientCa === undefined)
    faults.push("tls.clientCrlFile (or tls.clientCrl) needs tls.clientCaFile (or tls.clientCa)");
  return cert === undefined || key === undefined ? undefined : { cert, key, clientCa, clientCrl };
}

/** The parts, read. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly clientCa: Buffer | undefined;
  readonly clientCrl: Buffer | undefined;
}

/** For a secure context. Throws `INVALID_ARGUMENT` that names the part, and quotes nothing of it. */
export function contextOf(
  { cert, key, clientCa, clientCrl }: TlsMaterial,
  names: Readonly<Record<keyof TlsMaterial, string>>,
): SecureContextOptions {
  readCertificates(cert, names.cert);
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key.toString("latin1")))
    throw invalid(names.key, "holds no private key in PEM");
  if (/ENCRYPTED/.test(key.toString("latin1"))) throw invalid(names.key, "is encrypted; give it without a passphrase");
  const authorities = clientCa === undefined ? undefined : readCertificates(clientCa, names.clientCa).map(String);
  const options: SecureContextOptions = {
    cert,
    key,
    minVersion: "TLSv1.2",
    ...(authorities === undefined ? {} : { ca: authorities }),
  };
  const revoked = clientCrl === undefined ? {} : { crl: readRevocations(clientCrl, names.clientCrl) };
  try {
    createSecureContext(options);
  } catch (cause) {
    const isMismatch = /key values mismatch/i.test(errorText(cause));
    throw invalid(
      names.key,
      isMismatch ? `is not the key of ${names.cert}` : `and ${names.cert} cannot be used: ${errorText(cause)}`,
    );
  }
  return { ...options, ...revoked };
}

/** What is wrong with the server's certificate although it can be used: its time. Undefined if nothing is. */
export function certificateWarning(cert: Buffer, nowMs: number): string | undefined {
  const { validFrom, validTo } = new X509Certificate(cert);
  if (Date.parse(validTo) < nowMs) return `the certificate expired on ${validTo}: clients that check it refuse it`;
  if (Date.parse(validFrom) > nowMs)
    return `the certificate is valid from ${validFrom}: clients that check it refuse it`;
  return undefined;
}

function readCertificates(pem: Buffer, name: string): readonly X509Certificate[] {
  const blocks = pem.toString("latin1").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw invalid(name, "holds no certificate in PEM");
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (cause) {
    throw invalid(name, `holds a certificate that cannot be read: ${errorText(cause)}`);
  }
}

function readRevocations(pem: Buffer, name: string): string[] {
  const lists = pem.toString("latin1").match(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g) ?? [];
  if (lists.length === 0) throw invalid(name, "holds no revocation list in PEM");
  try {
    createSecureContext({ crl: lists });
  } catch (cause) {
    throw invalid(name, `holds a revocation list that cannot be read: ${errorText(cause)}`);
  }
  return lists;
}

function invalid(name: string, fault: string): MessagingError {
  return new MessagingError("INVALID_ARGUMENT", `${name} ${fault}`);
}
