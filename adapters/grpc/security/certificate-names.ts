import type { PeerCertificate } from "node:tls";

export const MAX_CERTIFICATE_NAME_LENGTH = 500;
const MAX_NAMES = 100;

/** The names that a verified client certificate has, each bare and with its kind before it: `CN:`, `DNS:`, … */
export interface CertificateNames {
  /** Stands in logs and counts where there are no entries. */
  readonly first: string;
  readonly all: ReadonlySet<string>;
}

/** How Node.js writes the kinds, and how we do. Others say nothing about who it is. */
const KINDS: Readonly<Record<string, string>> = { DNS: "DNS", URI: "URI", email: "email", "IP Address": "IP" };
/** What may stand before a name. */
export const KIND = /^(?:CN|DNS|URI|email|IP):/i;

export function certificateNames({ subject, subjectaltname }: PeerCertificate): CertificateNames {
  const all = new Set<string>();
  const add = (kind: string, name: string): void => {
    if (name === "" || name.length > MAX_CERTIFICATE_NAME_LENGTH || all.size >= 2 * MAX_NAMES) return;
    // A name that itself begins like a kind must not pass for one of that kind.
    if (!KIND.test(name)) all.add(name);
    all.add(`${kind}:${name}`);
  };
  // Several of them are told as a list.
  const common: unknown = subject?.CN;
  for (const name of [common].flat()) if (typeof name === "string") add("CN", name);
  for (const { kind, name } of alternativeNames(subjectaltname ?? "")) {
    const known = KINDS[kind];
    if (known !== undefined) add(known, name);
  }
  const [first = "a certificate without a name"] = all;
  return { first, all };
}

/**
 * Node.js writes `DNS:a, URI:b`, and a name that could be mistaken as a JSON string. What cannot be told apart for sure
 * ends the list: a name must not be able to pass for two.
 */
export function alternativeNames(text: string): readonly { readonly kind: string; readonly name: string }[] {
  const names: { kind: string; name: string }[] = [];
  const entry = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y;
  while (entry.lastIndex < text.length) {
    const [, kind = "", raw = ""] = entry.exec(text) ?? [];
    if (kind === "") break;
    const name = raw.startsWith('"') ? unquote(raw) : raw;
    if (name === undefined) break;
    names.push({ kind, name });
  }
  return names;
}

function unquote(raw: string): string | undefined {
  try {
    const name: unknown = JSON.parse(raw);
    return typeof name === "string" ? name : undefined;
  } catch {
    return undefined;
  }
}
