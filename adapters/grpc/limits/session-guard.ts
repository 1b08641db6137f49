import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Cancel, Clock } from "../../../src/ports/clock.js";
import type { Refusals } from "../security/refusals.js";
import { ClientHoldings } from "./client-holdings.js";
import type { ConnectionGate } from "./connection-gate.js";
import { SessionWatch } from "./session-watch.js";
import { StreamWatch, type StreamWatchContext } from "./stream-watch.js";

export interface SessionGuardOptions {
  readonly messageTimeoutMs: number;
  readonly maxUnfinishedBytesPerAddress: number;
  readonly clock: Clock;
  readonly gate: ConnectionGate;
  readonly refusals: Refusals;
}

/** How often connections are looked at, and a share more for each of many. */
const CHECK_MS = 250;
const CHECK_MS_PER_SESSION = 0.1;
/** How often the calls on them are. */
const CALLS_CHECK_MS = 1_000;
/** How long an answer may wait for a reader that takes nothing. */
const STALL_MS = 60_000;

/** These take their time: what they send, and how slowly they are read, has bounds of its own. */
const LONG_CALLS: ReadonlySet<string> = new Set([
  "/queue.QueueApi/SubscribeEvents",
  "/fairlead.v1.Events/Subscribe",
  "/fairlead.v1.RequestSink/Call",
  "/fairlead.v1.RequestSink/Signal",
  "/grpc.health.v1.Health/Watch",
]);
/** The client may say nothing for as long as it likes. */
const OPEN_ENDED: ReadonlySet<string> = new Set([
  "/fairlead.v1.Events/PostEvents",
  "/fairlead.v1.Events/Subscribe",
  "/fairlead.v1.RequestSink/Call",
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
]);

/** Watches the connections of an HTTP/2 server, and ends those that do what no client needs to do. */
export class SessionGuard {
  readonly #options: SessionGuardOptions;
  readonly #sessions = new Map<ServerHttp2Session, SessionWatch>();
  readonly #calls = new Set<StreamWatch>();
  readonly #context: StreamWatchContext;
  #cancel: Cancel | undefined;
  #callsCheckedAt = 0;

  constructor(options: SessionGuardOptions) {
    this.#options = options;
    const { maxUnfinishedBytesPerAddress: most, clock } = options;
    this.#context = {
      holdings: new ClientHoldings(most),
      now: () => clock.now(),
      onTooMuch: (call) =>
        this.#refuse(call, `of messages that are not whole, at most ${most} bytes are kept for one address`),
      onClosed: (call) => this.#calls.delete(call),
    };
  }

  /** After the library has its own listeners: by then it has begun each call, or ended it at once. */
  watch(server: Http2Server): void {
    server.on("session", (session: ServerHttp2Session) => this.#open(session));
    server.on(
      "stream",
      (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, rawHeaders: readonly string[]) =>
        this.#begin(stream, String(headers[":path"]), rawHeaders),
    );
  }

  /** Looks at nothing any more. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#sessions.clear();
    this.#calls.clear();
  }

  #open(session: ServerHttp2Session): void {
    const { clock, gate } = this.#options;
    const watch: SessionWatch = new SessionWatch(session, clock.now(), (reason) => this.#end(watch, reason));
    this.#sessions.set(session, watch);
    session.once("close", () => this.#sessions.delete(session));
    session.on("ping", () => watch.ping(clock.now()));
    session.on("remoteSettings", () => {
      gate.spoke(watch.peer);
      watch.settings(clock.now());
    });
    this.#checkSoon();
  }

  #begin(stream: ServerHttp2Stream, path: string, rawHeaders: readonly string[]): void {
    const session = this.#sessions.get(stream.session as ServerHttp2Session);
    if (session === undefined) return;
    const isRefused = stream.writableEnded || stream.destroyed;
    if (isRefused) session.refused(this.#context.now());
    else session.call(rawHeaders);
    // Of a refused call that is not whole yet, the rest is to be read: nobody else would.
    if (stream.destroyed || (isRefused && stream.endAfterHeaders)) return;
    const call = new StreamWatch(stream, path, session, this.#context);
    if (!isRefused && !OPEN_ENDED.has(path)) call.awaitMessage();
    this.#calls.add(call);
  }

  #checkSoon(): void {
    if (this.#cancel !== undefined || this.#sessions.size === 0) return;
    const ms = CHECK_MS + this.#sessions.size * CHECK_MS_PER_SESSION;
    this.#cancel = this.#options.clock.setTimer(ms, () => {
      this.#cancel = undefined;
      this.#check(this.#options.clock.now());
      this.#checkSoon();
    });
  }

  #check(now: number): void {
    for (const session of this.#sessions.values()) session.check(now);
    if (now - this.#callsCheckedAt < CALLS_CHECK_MS) return;
    this.#callsCheckedAt = now;
    const { messageTimeoutMs } = this.#options;
    for (const call of this.#calls) {
      if (call.isOverdue(now)) {
        call.close();
      } else if (call.isLate(now, messageTimeoutMs)) {
        this.#refuse(call, `a message did not become whole within ${messageTimeoutMs} ms`);
      } else if (!LONG_CALLS.has(call.path) && call.isStalled(now, STALL_MS)) {
        this.#refuse(call, `nothing of the answer was read for ${STALL_MS} ms`);
      }
    }
  }

  #refuse(call: StreamWatch, reason: string): void {
    const { session, path } = call;
    this.#options.refusals.note({ client: undefined, peer: session.address, what: path.slice(1), reason });
    call.refuse(reason);
  }

  #end(watch: SessionWatch, reason: string): void {
    if (watch.session.destroyed) return;
    this.#options.gate.refused(watch.address, reason);
    watch.end(reason);
  }
}
