import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { ServerUrl } from "./server-url.js";

export interface RabbitmqTlsOptions {
  /** Certificates that are trusted, PEM. Default: those that Node trusts. */
  readonly ca?: string | Uint8Array | undefined;
  /** The client's own certificate, PEM, with those between it and its authority behind it. Needs `key`. */
  readonly cert?: string | Uint8Array | undefined;
  /** The client's own key, PEM. Needs `cert`. */
  readonly key?: string | Uint8Array | undefined;
  /** What the key is encrypted with. */
  readonly passphrase?: string | undefined;
  /** The name that the broker's certificate must bear. Default: the host in the URL. */
  readonly serverName?: string | undefined;
}

const KEYS: readonly string[] = ["ca", "cert", "key", "passphrase", "serverName"];

/** Checks what can be checked without the broker: what is wrong would otherwise show as a refusal that names no cause. */
export function resolveTls(value: unknown, servers: readonly ServerUrl[], faults: string[]): RabbitmqTlsOptions {
  if (value === undefined) return Object.freeze({});
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    faults.push("tls must be an object");
    return Object.freeze({});
  }
  const given: Record<string, unknown> = { ...value };
  const before = faults.length;
  for (const key of Object.keys(given)) {
    if (!KEYS.includes(key)) faults.push(`tls.${key} is unknown (known: ${KEYS.join(", ")})`);
  }
  for (const key of ["ca", "cert", "key"]) {
    if (given[key] !== undefined && !isPem(given[key])) faults.push(`tls.${key} must be PEM text or bytes`);
  }
  for (const key of ["passphrase", "serverName"]) {
    if (given[key] !== undefined && typeof given[key] !== "string") faults.push(`tls.${key} must be a text`);
  }
  if (given.serverName === "") faults.push("tls.serverName must not be empty");
  if (given.passphrase !== undefined && given.key === undefined)
    faults.push("tls.passphrase is for tls.key: give both");
  if ((given.cert === undefined) !== (given.key === undefined)) faults.push("tls.cert and tls.key go together");
  if (servers.some((server) => server.protocol === "amqp")) faults.push("tls is given: write amqps: in every url");
  const tls: RabbitmqTlsOptions = Object.freeze(given);
  if (faults.length === before) checkContents(tls, faults);
  return tls;
}

function checkContents({ ca, cert, key, passphrase }: RabbitmqTlsOptions, faults: string[]): void {
  const before = faults.length;
  if (ca !== undefined) readCertificate("ca", ca, faults);
  if (cert !== undefined && key !== undefined) checkOwn(cert, key, passphrase, faults);
  if (faults.length > before) return;
  try {
    // As it will be used: all certificates of a chain are read, and what the library holds for too weak is refused.
    createSecureContext({
      ...(ca === undefined ? {} : { ca: Buffer.from(ca) }),
      ...(cert === undefined || key === undefined ? {} : { cert: Buffer.from(cert), key: Buffer.from(key) }),
      ...(passphrase === undefined ? {} : { passphrase }),
    });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
    faults.push(`tls: Node takes no such certificates and keys${code}: is a part cut off, or the key too short?`);
  }
}

function checkOwn(
  cert: string | Uint8Array,
  key: string | Uint8Array,
  passphrase: string | undefined,
  faults: string[],
): void {
  const own = readCertificate("cert", cert, faults);
  const pem = Buffer.from(key);
  try {
    const privateKey = createPrivateKey(passphrase === undefined ? { key: pem } : { key: pem, passphrase });
    if (own?.checkPrivateKey(privateKey) === false) faults.push("tls.key is not the key of tls.cert");
  } catch {
    // The library's own words name neither the option nor the remedy.
    if (!/ENCRYPTED/.test(pem.toString("latin1"))) faults.push("tls.key is no private key in PEM");
    else if (passphrase === undefined) faults.push("tls.key is encrypted: give its tls.passphrase");
    else faults.push("tls.key cannot be decrypted: is tls.passphrase the right one?");
  }
}

function readCertificate(name: string, pem: string | Uint8Array, faults: string[]): X509Certificate | undefined {
  try {
    const bytes = Buffer.from(pem);
    const certificate = new X509Certificate(bytes);
    // Read above, binary (DER) too; for a connection it would be taken for PEM without any certificate.
    if (bytes.includes("-----BEGIN CERTIFICATE-----")) return certificate;
  } catch {
    // Told below.
  }
  faults.push(`tls.${name} is no certificate in PEM (is it the text of the file, and not its name?)`);
  return undefined;
}

function isPem(value: unknown): boolean {
  return typeof value === "string" || value instanceof Uint8Array;
}
