import type { ErrorCode } from "../../src/errors/messaging-error.js";

export interface TlsFailure {
  readonly code: ErrorCode;
  readonly text: string;
}

const UNTRUSTED =
  "the broker's certificate is of no authority that is trusted here: give the certificate of its authority as tls.ca";
const FAULTY = "the broker's certificate, or one above it, is faulty: it must be issued anew";
const UNFIT = "the broker's certificate, or one above it, was not issued for this use: it must be issued anew";
const UNCHECKED =
  "whether the broker's certificate was revoked cannot be checked: its authority's list is missing or faulty";
const WANTED = "the broker wants a certificate of the client's own: give tls.cert and tls.key";
const REFUSED =
  "the broker does not trust the client's certificate: give one that an authority of the broker's has signed, as tls.cert";

/** By Node's error code; what both sides may say of a certificate. */
const UNAUTHENTICATED: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  CERT_UNTRUSTED: UNTRUSTED,
  CERT_CHAIN_TOO_LONG: UNTRUSTED,
  CERT_REJECTED: UNTRUSTED,
  CERT_REVOKED: "the broker's certificate was revoked: it must be replaced there",
  INVALID_CA: UNFIT,
  INVALID_PURPOSE: UNFIT,
  PATH_LENGTH_EXCEEDED: UNFIT,
  CERT_SIGNATURE_FAILURE: FAULTY,
  UNABLE_TO_DECRYPT_CERT_SIGNATURE: FAULTY,
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: FAULTY,
  ERROR_IN_CERT_NOT_BEFORE_FIELD: FAULTY,
  ERROR_IN_CERT_NOT_AFTER_FIELD: FAULTY,
  UNABLE_TO_GET_CRL: UNCHECKED,
  UNABLE_TO_DECRYPT_CRL_SIGNATURE: UNCHECKED,
  CRL_SIGNATURE_FAILURE: UNCHECKED,
  CRL_NOT_YET_VALID: UNCHECKED,
  CRL_HAS_EXPIRED: UNCHECKED,
  ERROR_IN_CRL_LAST_UPDATE_FIELD: UNCHECKED,
  ERROR_IN_CRL_NEXT_UPDATE_FIELD: UNCHECKED,
  HOSTNAME_MISMATCH: "the broker's certificate bears another name: give one that it bears as tls.serverName",
  CERT_HAS_EXPIRED: "the broker's certificate has expired: it must be renewed there",
  CERT_NOT_YET_VALID: "the broker's certificate is not valid yet: is one of the two clocks wrong?",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: WANTED,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE:
    "the broker refused the TLS handshake: if it wants a certificate of the client, give tls.cert and tls.key",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: REFUSED,
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: REFUSED,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: REFUSED,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: REFUSED,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: "the client's certificate has expired: renew it, and give it as tls.cert",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: "the client's certificate was revoked: give another as tls.cert",
};

/** There are too many to list, and all mean that one side does not trust the other. */
const OTHER = /^ERR_(?:SSL|TLS)_/;

/** What a failed TLS handshake means, and what to do; undefined for an error of another kind. */
export function tlsFailure(error: Error): TlsFailure | undefined {
  const code: unknown = "code" in error ? error.code : undefined;
  if (typeof code !== "string") return undefined;
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER") {
    return { code: "INVALID_ARGUMENT", text: "the other side speaks no TLS there: use amqp:, or its TLS port" };
  }
  if (code === "EPROTO") return { code: "INVALID_ARGUMENT", text: "the other side speaks another protocol (EPROTO)" };
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    const reason = "reason" in error ? String(error.reason) : error.message;
    const text = `the broker's certificate bears another name (${reason}): give one that it bears as tls.serverName`;
    return { code: "UNAUTHENTICATED", text };
  }
  const known = UNAUTHENTICATED[code];
  if (known !== undefined) return { code: "UNAUTHENTICATED", text: known };
  if (!OTHER.test(code)) return undefined;
  return { code: "UNAUTHENTICATED", text: `the TLS handshake failed (${code})` };
}
