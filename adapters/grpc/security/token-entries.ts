import { createHash } from "node:crypto";
import { errorText } from "../../../src/util/error-text.js";
import { KIND, MAX_CERTIFICATE_NAME_LENGTH } from "./certificate-names.js";
import { NamePatterns, patternFault } from "./name-patterns.js";
import { repeatedKeys } from "./repeated-keys.js";
import { RIGHTS, type Right } from "./rights.js";

type OneOrMore = string | readonly string[];

/** Who may call, and what. Names may have `*` for any characters; without one they are exact. A right not given is none. */
export interface TokenEntry {
  /** A bearer token, or several: 16 to 4,096 visible ASCII characters each. */
  readonly token?: OneOrMore | undefined;
  /** The SHA-256 of a token, in hex, in place of the token itself. */
  readonly tokenSha256?: OneOrMore | undefined;
  /**
   * The name in a client certificate: its common name or one of its subject alternative names; `CN:`, `DNS:`, `URI:`,
   * `email:` or `IP:` before it says which.
   */
  readonly certificate?: OneOrMore | undefined;
  /** As which client ids it may post. */
  readonly post?: OneOrMore | undefined;
  /** As which client ids it may subscribe, acknowledge and close. */
  readonly subscribe?: OneOrMore | undefined;
  /** Which sinks it may call. */
  readonly request?: OneOrMore | undefined;
  /** Which queues it may look into and change. */
  readonly admin?: OneOrMore | undefined;
}

/** By name, which stands in logs and counts. */
export type TokenEntries = Readonly<Record<string, TokenEntry>>;

/** One entry, ready to be asked. */
export interface Grant {
  readonly name: string;
  readonly rights: Readonly<Record<Right, NamePatterns>>;
}

export interface Entry {
  readonly grant: Grant;
  readonly digests: readonly Buffer[];
  readonly certificates: readonly string[];
}

const KEYS: Readonly<Record<keyof TokenEntry, true>> = {
  token: true,
  tokenSha256: true,
  certificate: true,
  post: true,
  subscribe: true,
  request: true,
  admin: true,
};
const MAX_ENTRIES = 1_000;
const MAX_VALUES = 100;
const MAX_NAME_LENGTH = 100;
const TOKEN = /^[\x21-\x7e]{16,4096}$/;
const DIGEST = /^[0-9a-f]{64}$/i;

/** The entries of JSON text. Adds what is wrong with it to the faults, quoting nothing of it but names. */
export function parseTokenEntries(text: string, faults: string[]): readonly Entry[] {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    // The text of the error may quote a part of the file.
    const place = /position (\d+)/.exec(errorText(error))?.[1];
    faults.push(place === undefined ? "is not JSON" : `is not JSON: look at character ${Number(place) + 1}`);
    return [];
  }
  for (const [name = "", key] of repeatedKeys(text)) {
    const entry = `entry ${JSON.stringify(name.slice(0, MAX_NAME_LENGTH))}`;
    faults.push(
      key === undefined ? `has the ${entry} twice` : `${entry} has ${JSON.stringify(key.slice(0, 50))} twice`,
    );
  }
  return readTokenEntries(value, faults);
}

export function readTokenEntries(value: unknown, faults: string[]): readonly Entry[] {
  if (!isRecord(value)) {
    faults.push('must be entries by name, for example {"orders": {"token": "…", "post": ["orders-*"]}}');
    return [];
  }
  const names = Object.keys(value);
  if (names.length === 0) faults.push("has no entry: nobody could call");
  if (names.length > MAX_ENTRIES) {
    faults.push(`has more than ${MAX_ENTRIES} entries`);
    return [];
  }
  const entries = names.map((name) => readEntry(name, value[name], faults));
  refuseShared(entries, faults);
  return entries;
}

function readEntry(name: string, raw: unknown, faults: string[]): Entry {
  const entry = isRecord(raw) ? raw : {};
  const shown = JSON.stringify(name.slice(0, MAX_NAME_LENGTH));
  const fault = (text: string): void => void faults.push(`entry ${shown} ${text}`);
  if (!/^[\x21-\x7e][\x20-\x7e]{0,99}$/.test(name))
    fault(`must have a name of 1 to ${MAX_NAME_LENGTH} ASCII characters`);
  if (!isRecord(raw)) fault("must be an object");
  for (const key of Object.keys(entry)) {
    if (!Object.hasOwn(KEYS, key))
      fault(`has an unknown key ${JSON.stringify(key.slice(0, 50))}; known are ${Object.keys(KEYS).join(", ")}`);
  }
  const list = (key: keyof TokenEntry): readonly string[] =>
    readList(entry[key], (text) => fault(`has a ${key} that ${text}`));
  const tokens = list("token");
  if (!tokens.every((token) => TOKEN.test(token))) {
    fault("has a token that must be 16 to 4096 visible ASCII characters, without spaces");
  }
  const digests = list("tokenSha256");
  if (!digests.every((digest) => DIGEST.test(digest))) fault("has a tokenSha256 that must be 64 hexadecimal digits");
  const certificates = list("certificate");
  if (certificates.some((one) => one === "" || one.length > MAX_CERTIFICATE_NAME_LENGTH)) {
    fault(`has a certificate that must be a name of 1 to ${MAX_CERTIFICATE_NAME_LENGTH} characters`);
  }
  if (isRecord(raw) && tokens.length + digests.length + certificates.length === 0) {
    fault("must have a token, a tokenSha256 or a certificate");
  }
  const patterns = (right: Right): NamePatterns => {
    const given = list(right);
    const [wrong] = given.map(patternFault).filter((text) => text !== undefined);
    if (wrong !== undefined) fault(`has a pattern in ${right} that ${wrong}`);
    return new NamePatterns(given);
  };
  const rights = Object.fromEntries(RIGHTS.map((right) => [right, patterns(right)])) as Record<Right, NamePatterns>;
  return {
    grant: { name, rights },
    digests: [...tokens.map(digestOf), ...digests.map((digest) => Buffer.from(digest, "hex"))],
    certificates,
  };
}

/** Whoever presents it could be either of them. */
function refuseShared(entries: readonly Entry[], faults: string[]): void {
  const owners = new Map<string, string>();
  for (const { grant, digests, certificates } of entries) {
    const keys = [
      ...digests.map((digest) => `token ${digest.toString("hex")}`),
      ...certificates.map((one) => `certificate ${one}`),
    ];
    for (const key of new Set(keys)) {
      const other = owners.get(key);
      const what = key.slice(0, key.indexOf(" "));
      if (other !== undefined)
        faults.push(`entries ${JSON.stringify(other)} and ${JSON.stringify(grant.name)} have the same ${what}`);
      owners.set(key, grant.name);
    }
  }
  refuseHidden(entries, faults);
}

/** A name without its kind is that of each kind: `x` in one entry, and `CN:x` in another, are one certificate. */
function refuseHidden(entries: readonly Entry[], faults: string[]): void {
  const bare = new Map<string, string>();
  for (const { grant, certificates } of entries) for (const one of certificates) bare.set(one, grant.name);
  for (const { grant, certificates } of entries) {
    for (const one of certificates) {
      const other = KIND.test(one) ? bare.get(one.replace(KIND, "")) : undefined;
      if (other === undefined || other === grant.name) continue;
      const both = `${JSON.stringify(other)} and ${JSON.stringify(grant.name)}`;
      faults.push(`entries ${both} have the same certificate, here with its kind before it and there without`);
    }
  }
}

function readList(raw: unknown, fault: (text: string) => void): readonly string[] {
  if (raw === undefined) return [];
  const values: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
  if (values.length > MAX_VALUES) {
    fault(`must hold at most ${MAX_VALUES} texts`);
    return [];
  }
  const texts = values.filter((value) => typeof value === "string");
  if (texts.length !== values.length) fault("must be a text or a list of texts");
  return texts;
}

export function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
