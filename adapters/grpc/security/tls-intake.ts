import type { Socket } from "node:net";
import { createServer, type PeerCertificate, type SecureContextOptions, type Server, type TLSSocket } from "node:tls";
import { errorText } from "../../../src/util/error-text.js";
import { type CertificateNames, certificateNames } from "./certificate-names.js";
import type { ConnectionInfo } from "./guard-options.js";

export interface TlsIntakeOptions {
  readonly context: SecureContextOptions;
  /** Each client needs a certificate of these authorities. */
  readonly requiresCertificate: boolean;
  readonly handshakeTimeoutMs: number;
  onSecure(socket: TLSSocket): void;
  /** A handshake that came to nothing. The reason is one of a few. */
  onRefused(host: string, reason: string): void;
}

/** Makes TLS of sockets that somebody else has accepted. Connections keep what they were made with. */
export class TlsIntake {
  readonly #server: Server;
  readonly #names = new Map<string, CertificateNames>();

  constructor({ context, requiresCertificate, handshakeTimeoutMs, onSecure, onRefused }: TlsIntakeOptions) {
    // It listens nowhere.
    this.#server = createServer({
      ...context,
      requestCert: requiresCertificate,
      rejectUnauthorized: requiresCertificate,
      handshakeTimeout: handshakeTimeoutMs,
      ALPNProtocols: ["h2"],
    });
    this.#server.on("secureConnection", (socket) => {
      // Whoever works with the socket is told of its end.
      socket.on("error", () => {});
      if (requiresCertificate && !this.#remember(socket)) {
        socket.destroy();
        return;
      }
      onSecure(socket);
    });
    this.#server.on("tlsClientError", (error, socket) => {
      onRefused(hostOfSocket(socket), reasonOf(error, socket));
      socket.destroy();
    });
  }

  take(socket: Socket): void {
    socket.on("error", () => {});
    this.#server.emit("connection", socket);
  }

  /** For connections from now on. */
  use(context: SecureContextOptions): void {
    this.#server.setSecureContext(context);
  }

  /** Of the client at the other end of this connection; undefined for one whose ends are not known any more. */
  namesOf(connection: ConnectionInfo): CertificateNames | undefined {
    const key = keyOf(connection);
    return key === undefined ? undefined : this.#names.get(key);
  }

  /** False for a socket that has no other end, or no certificate, any more. */
  #remember(socket: TLSSocket): boolean {
    const key = keyOf(socket);
    const certificate: PeerCertificate | null = socket.getPeerCertificate();
    if (key === undefined || certificate === null) return false;
    const names = certificateNames(certificate);
    this.#names.set(key, names);
    socket.once("close", () => {
      // The client may have come back from the same port.
      if (this.#names.get(key) === names) this.#names.delete(key);
    });
    return true;
  }
}

/** Both ends: a machine may have several addresses, and a client the same port at each of them. */
function keyOf({ localAddress, localPort, remoteAddress, remotePort }: ConnectionInfo): string | undefined {
  const ends = [localAddress, localPort, remoteAddress, remotePort];
  // Those of a socket that is gone: all such would be the same client.
  return ends.includes(undefined) ? undefined : ends.join(" ");
}

function hostOfSocket(socket: TLSSocket): string {
  return socket.remoteAddress ?? "unknown";
}

/** One of a few texts. */
function reasonOf(error: Error, { authorizationError }: TLSSocket): string {
  // Such a socket is closed by us, which looks as if the client had left.
  const refusal: unknown = authorizationError;
  if (refusal !== undefined && refusal !== null)
    return `TLS: the client's certificate was refused (${codeOf(refusal)})`;
  const code = "code" in error ? String(error.code) : "";
  const text = errorText(error);
  if (code === "ECONNRESET") return "TLS: the client left during the handshake";
  if (code === "ERR_TLS_HANDSHAKE_TIMEOUT") return "TLS: the handshake took too long";
  if (/wrong version number|http request|unknown protocol|unsupported protocol/i.test(text))
    return "TLS: the client speaks no TLS of 1.2 or later";
  if (/did not return a certificate/i.test(text)) return "TLS: the client has no certificate";
  if (/certificate|verify|unknown ca/i.test(`${text} ${code}`))
    return "TLS: the client's certificate was refused, or it refused ours";
  return "TLS: the handshake failed";
}

/** OpenSSL has a few dozen. */
function codeOf(refusal: unknown): string {
  const code = refusal instanceof Error && "code" in refusal ? refusal.code : refusal;
  return typeof code === "string" && /^[A-Z_]{1,60}$/.test(code) ? code : "not valid";
}
