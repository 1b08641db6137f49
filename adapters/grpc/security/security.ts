import type { Http2Server } from "node:http2";
import type { Socket } from "node:net";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import type { Clock } from "../../../src/ports/clock.js";
import type { Observer } from "../../../src/ports/observer.js";
import { toError } from "../../../src/util/error-text.js";
import type { StrictRequests } from "../strict-requests.js";
import { Authentication } from "./authentication.js";
import { keepDoubledCredentials } from "./doubled-credentials.js";
import { Guard } from "./guard.js";
import type { Admission } from "./guard-options.js";
import type { Refusals } from "./refusals.js";
import type { ResolvedGrpcSecurity } from "./resolve-security.js";
import { rpcRules } from "./rpc-rules.js";
import { ServerMaterial } from "./server-material.js";
import type { ResolvedTls } from "./server-tls.js";
import { TlsIntake } from "./tls-intake.js";
import { parseTokenEntries } from "./token-entries.js";
import { TokenList } from "./token-list.js";
import { isReadableByOthers, isRegularFile, readFileNow, WatchedFiles } from "./watched-files.js";

export interface SecurityOptions {
  readonly security: ResolvedGrpcSecurity;
  readonly handshakeTimeoutMs: number;
  readonly refusalDelayMs: number;
  readonly admission?: Admission | undefined;
  readonly requests: StrictRequests;
  readonly refusals: Refusals;
  readonly observe: Observer;
  readonly clock: Clock;
  /** The queue that a name of an Inspection request stands for. */
  queueOf(name: string): string;
  /** A connection whose client may speak HTTP/2 now. */
  onConnection(socket: Socket): void;
}

/** Who may connect to one gateway, and do what. */
export class Security {
  /** Undefined: everybody may do everything, without end. */
  readonly guard: Guard | undefined;
  readonly #options: SecurityOptions;
  readonly #authentication = new Authentication();
  readonly #intake: TlsIntake | undefined;
  readonly #watches: WatchedFiles[] = [];
  /** Told when the server starts. */
  readonly #warnings: { readonly source: string; readonly warning: string }[] = [];
  /** Not for everybody's eyes. */
  readonly #secretFiles: string[] = [];

  /** Reads the files. Throws one `INVALID_ARGUMENT` for what is wrong with them. */
  constructor(options: SecurityOptions) {
    this.#options = options;
    const { security, admission } = options;
    const { tls, tokens } = security;
    const faults: string[] = [];
    const attempt = <T>(read: () => T): T | undefined => {
      try {
        return read();
      } catch (error) {
        if (!MessagingError.is(error, "INVALID_ARGUMENT")) throw error;
        faults.push(error.message);
        return undefined;
      }
    };
    const list = attempt(() => this.#readTokens());
    this.#intake = tls === undefined ? undefined : attempt(() => this.#makeIntake(tls));
    if (faults.length > 0) throw new MessagingError("INVALID_ARGUMENT", `grpc: ${faults.join("; ")}`);
    const asksWho = tokens !== undefined || tls?.clientCa !== undefined;
    if (asksWho || admission !== undefined) this.guard = this.#makeGuard(list);
  }

  /** A connection as it was accepted. */
  connect(socket: Socket): void {
    if (this.#intake === undefined) this.#options.onConnection(socket);
    else this.#intake.take(socket);
  }

  /** The HTTP/2 server behind the connections. */
  watch(server: Http2Server): void {
    if (this.guard !== undefined) keepDoubledCredentials(server);
  }

  /** From now on files are looked at. */
  start(): void {
    for (const watch of this.#watches) watch.start();
    const { observe } = this.#options;
    for (const { source, warning } of this.#warnings) observe({ type: "credentials", source, warning });
    for (const file of this.#secretFiles) void this.#warnIfReadable(file);
  }

  close(): void {
    for (const watch of this.#watches) watch.stop();
  }

  #makeGuard(tokens: TokenList | undefined): Guard {
    const { admission, requests, refusals, clock, refusalDelayMs, queueOf } = this.#options;
    this.#authentication.use(tokens);
    return new Guard({
      rules: rpcRules(queueOf),
      authentication: this.#authentication,
      certificateOf: (connection) => this.#intake?.namesOf(connection),
      admission,
      requests,
      refusals,
      clock,
      refusalDelayMs,
    });
  }

  #readTokens(): TokenList | undefined {
    const { tokens } = this.#options.security;
    if (tokens === undefined) return undefined;
    if ("entries" in tokens) return new TokenList(tokens.entries);
    const { file } = tokens;
    const content = readFileNow(file);
    this.#secretFiles.push(file);
    this.#watch([file], [content], file, ([changed = content]) => {
      this.#authentication.use(tokenListOf(file, changed));
      this.guard?.recheck();
    });
    return tokenListOf(file, content);
  }

  #makeIntake(tls: ResolvedTls): TlsIntake {
    const { handshakeTimeoutMs, refusals, onConnection } = this.#options;
    const material = new ServerMaterial(tls);
    this.#warnings.push(...material.warnings(this.#options.clock.now()));
    if (tls.key.file !== undefined) this.#secretFiles.push(tls.key.file);
    const intake = new TlsIntake({
      context: material.context,
      requiresCertificate: tls.clientCa !== undefined,
      handshakeTimeoutMs,
      onSecure: onConnection,
      onRefused: (peer, reason) => refusals.note({ client: undefined, peer, what: "connection", reason }),
    });
    for (const { files, contents, use, warnings } of material.units) {
      this.#watch(files, contents, files.join(", "), (changed) => {
        const { observe, clock } = this.#options;
        intake.use(use(changed));
        for (const warning of warnings(clock.now())) observe({ type: "credentials", ...warning });
      });
    }
    return intake;
  }

  #watch(
    paths: readonly string[],
    contents: readonly Buffer[],
    source: string,
    use: (contents: readonly Buffer[]) => void,
  ): void {
    const { observe, clock } = this.#options;
    const irregular = paths.filter((path) => !isRegularFile(path));
    if (irregular.length > 0) {
      const warning = `${irregular.join(", ")}: no regular file, so changes are not seen until the server is started again`;
      this.#warnings.push({ source, warning });
      return;
    }
    const onChanged = (changed: readonly Buffer[]): void => {
      try {
        use(changed);
        observe({ type: "credentials", source });
      } catch (error) {
        observe({ type: "credentials", source, error: toError(error) });
      }
    };
    const onUnreadable = (error: MessagingError): void => observe({ type: "credentials", source, error });
    this.#watches.push(new WatchedFiles({ paths, contents, clock, onChanged, onUnreadable }));
  }

  async #warnIfReadable(file: string): Promise<void> {
    if (!(await isReadableByOthers(file))) return;
    const warning = "everybody on this machine may read the file; take that right away (chmod o-r)";
    this.#options.observe({ type: "credentials", source: file, warning });
  }
}

function tokenListOf(file: string, content: Buffer): TokenList {
  const faults: string[] = [];
  const entries = parseTokenEntries(content.toString("utf8"), faults);
  if (faults.length > 0) throw new MessagingError("INVALID_ARGUMENT", `${file} ${faults.join("; ")}`);
  return new TokenList(entries);
}
