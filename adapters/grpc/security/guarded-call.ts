import { type Metadata, ServerInterceptingCall } from "@grpc/grpc-js";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import type { Cancel } from "../../../src/ports/clock.js";
import { toCallStatus } from "../call-errors.js";
import type { Identity } from "./authentication.js";
import { type Caller, callerAt, healthCaller, rememberCaller } from "./caller.js";
import type { ConnectionInfo, GuardOptions, NotAdmitted } from "./guard-options.js";
import { NAMED, type Right } from "./rights.js";
import type { RpcRule } from "./rpc-rules.js";

type NextCall = ConstructorParameters<typeof ServerInterceptingCall>[0];
type Listener = Parameters<ServerInterceptingCall["start"]>[0];
type Status = Parameters<ServerInterceptingCall["sendStatus"]>[0];
type Message = Parameters<ServerInterceptingCall["sendMessage"]>[0];

export interface GuardedCallOptions {
  readonly path: string;
  readonly options: GuardOptions;
  /** Where it is found while it is open; undefined: it is short. */
  readonly streams: Set<GuardedCall> | undefined;
}

const MAX_SHOWN_LENGTH = 150;
/** A replay has two. */
const MAX_KEPT_NAMES = 2;

/** One call, between the library and its handler. Everything passes straight through but what is decided here. */
export class GuardedCall extends ServerInterceptingCall implements Listener {
  readonly #next: NextCall;
  readonly #path: string;
  readonly #options: GuardOptions;
  readonly #streams: Set<GuardedCall> | undefined;
  readonly #rule: RpcRule | undefined;
  #handler: Listener | undefined;
  #identity: Identity | undefined;
  #caller: Caller | undefined;
  /** The caller as limits count him. */
  #counted: Caller | undefined;
  /** Of the tokens that the identity was found with. */
  #generation = 0;
  #cancelRefusal: Cancel | undefined;
  /** The last one. Others of the same name are not looked at again. */
  #allowedName: string | undefined;
  /** What the call is about, where that must stay allowed. */
  readonly #keptNames: string[] = [];
  #isFirst = true;
  #isAdmitted = false;
  /** The handler has begun. */
  #isOpen = false;
  /** Ended by us: nothing of the handler's goes out any more. */
  #isCut = false;

  constructor(next: NextCall, { path, options, streams }: GuardedCallOptions) {
    super(next);
    this.#next = next;
    this.#path = path;
    this.#options = options;
    this.#streams = streams;
    this.#rule = options.rules.get(path);
  }

  override start(handler: Listener): void {
    this.#handler = handler;
    this.#next.start(this);
  }

  override sendMetadata(metadata: Metadata): void {
    if (!this.#isCut) this.#next.sendMetadata(metadata);
  }

  override sendMessage(message: Message, callback: () => void): void {
    if (!this.#isCut) this.#next.sendMessage(message, callback);
  }

  override sendStatus(status: Status): void {
    if (!this.#isCut) this.#next.sendStatus(status);
  }

  onReceiveMetadata(metadata: Metadata): void {
    const { admission, refusals } = this.#options;
    const connection = this.#next.getConnectionInfo();
    const stranger = callerAt(connection, undefined);
    let caller = stranger;
    this.#caller = stranger;
    try {
      caller = this.#identify(metadata, connection, stranger);
    } catch (error) {
      // Nobody may guess without end.
      const tooMany = admission?.admit(stranger, this.#path);
      if (tooMany === undefined) admission?.ended?.(stranger, this.#path);
      this.#refuse(tooMany ?? { error: asOurs(error) }, this.#rule?.refuseLater === true);
      return;
    }
    const counted = this.#rule?.needs === "nothing" ? healthCaller(stranger) : caller;
    const notAdmitted = admission?.admit(counted, this.#path);
    if (notAdmitted !== undefined) {
      this.#note(notAdmitted.reason ?? notAdmitted.error.message, refusals);
      this.#refuse(notAdmitted, this.#rule?.refuseLater === true);
      return;
    }
    this.#isAdmitted = true;
    this.#counted = counted;
    rememberCaller(metadata, caller, (right, name) => this.#mayUse(right, name));
    this.#isOpen = true;
    if (this.#rule?.needs !== "nothing") this.#streams?.add(this);
    this.#handler?.onReceiveMetadata(metadata);
  }

  onReceiveMessage(message: Message): void {
    this.#recheckIfChanged();
    if (this.#isCut) return;
    this.#judge(message);
    this.#handler?.onReceiveMessage(message);
  }

  onReceiveHalfClose(): void {
    // Here the handler of a single request begins.
    this.#recheckIfChanged();
    if (!this.#isCut) this.#handler?.onReceiveHalfClose();
  }

  /** At every end, also a good one. */
  onCancel(): void {
    this.#cancelRefusal?.();
    this.#close();
  }

  /** Ends the call if its caller may not go on with it. */
  recheck(): void {
    const { authentication, refusals } = this.#options;
    const { needs } = this.#rule ?? {};
    if (this.#identity === undefined || needs === undefined || needs === "nothing") return;
    this.#generation = authentication.generation;
    try {
      this.#identity = authentication.again(this.#identity);
      if (needs === "entry") return;
      this.#checkSome(needs);
      // Whatever comes next is looked at anew.
      this.#allowedName = undefined;
      for (const name of this.#keptNames) {
        const fault = this.#faultOf(needs, name);
        if (fault !== undefined) throw fault;
      }
    } catch (error) {
      const ours = asOurs(error);
      this.#note(reasonOf(ours, needs), refusals);
      // The handler first: nothing may follow the status.
      this.#close();
      this.#cut({ error: ours });
    }
  }

  /** What is found is known to hold until the tokens change: nothing is computed when nothing did. */
  #recheckIfChanged(): void {
    if (this.#isCut || this.#generation === this.#options.authentication.generation) return;
    this.recheck();
  }

  #identify(metadata: Metadata, connection: ConnectionInfo, stranger: Caller): Caller {
    const { authentication, certificateOf, refusals } = this.#options;
    const needs = this.#rule?.needs;
    if (needs === "nothing") return stranger;
    try {
      const identity = authentication.identify(metadata, certificateOf(connection));
      const caller = identity.name === undefined ? stranger : callerAt(connection, identity.name);
      this.#identity = identity;
      this.#generation = authentication.generation;
      this.#caller = caller;
      if (needs === undefined)
        throw new MessagingError("PERMISSION_DENIED", "nobody may call this rpc: it has no rule");
      if (needs !== "entry") this.#checkSome(needs);
      return caller;
    } catch (error) {
      const ours = asOurs(error);
      this.#note(reasonOf(ours, needs), refusals);
      throw ours;
    }
  }

  /** Throws `PERMISSION_DENIED` where no name at all is allowed. */
  #checkSome(right: Right): void {
    const grant = this.#identity?.grant;
    if (grant === undefined || !grant.rights[right].isEmpty) return;
    throw new MessagingError("PERMISSION_DENIED", `${JSON.stringify(grant.name)} does not have the right ${right}`);
  }

  #judge(message: Message): void {
    const { needs, named, keepsName } = this.#rule ?? {};
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    if (this.#identity?.grant === undefined || named === undefined) return;
    if (needs === undefined || needs === "nothing" || needs === "entry") return;
    const { requests, refusals } = this.#options;
    // What the rule reads is what the rpc is declared to send.
    for (const { part, name } of named(message as never, isFirst)) {
      if (name === this.#allowedName) continue;
      const fault = this.#faultOf(needs, name);
      if (fault === undefined) {
        this.#allowedName = name;
        const isKept = keepsName === true || this.#streams === undefined;
        if (isKept && this.#keptNames.length < MAX_KEPT_NAMES) this.#keptNames.push(name);
        continue;
      }
      this.#note(reasonOf(fault, needs), refusals);
      requests.refuse(part, fault);
    }
  }

  #mayUse(right: Right, name: string): boolean {
    const fault = this.#faultOf(right, name);
    if (fault !== undefined) this.#note(reasonOf(fault, right), this.#options.refusals);
    return fault === undefined;
  }

  #faultOf(right: Right, name: string): MessagingError | undefined {
    const grant = this.#identity?.grant;
    if (grant === undefined || grant.rights[right].matches(name)) return undefined;
    const shown = JSON.stringify(name.slice(0, MAX_SHOWN_LENGTH));
    const text = `${JSON.stringify(grant.name)} does not have the right ${right} for the ${NAMED[right]} ${shown}`;
    return new MessagingError("PERMISSION_DENIED", text);
  }

  #refuse(notAdmitted: NotAdmitted, later: boolean): void {
    const { clock, refusalDelayMs } = this.#options;
    if (!later || refusalDelayMs === 0) this.#cut(notAdmitted);
    else this.#cancelRefusal = clock.setTimer(refusalDelayMs, () => this.#cut(notAdmitted));
  }

  #cut({ error, retryInMs }: NotAdmitted): void {
    if (this.#isCut) return;
    this.#isCut = true;
    const status = toCallStatus(error);
    if (retryInMs !== undefined) {
      status.metadata.set("grpc-retry-pushback-ms", String(Math.ceil(retryInMs)));
      status.metadata.set("retry-after", String(Math.ceil(retryInMs / 1_000)));
    }
    this.#next.sendStatus(status);
  }

  /** Tells the handler and the admission of the end, once. */
  #close(): void {
    this.#streams?.delete(this);
    if (this.#isOpen) {
      this.#isOpen = false;
      this.#handler?.onCancel();
    }
    if (this.#isAdmitted && this.#counted !== undefined) {
      this.#isAdmitted = false;
      this.#options.admission?.ended?.(this.#counted, this.#path);
    }
  }

  #note(reason: string, refusals: GuardOptions["refusals"]): void {
    const { name, host = "unknown" } = this.#caller ?? {};
    refusals.note({ client: name, peer: host, what: this.#path.slice(1), reason });
  }
}

/** One of a few texts, whatever was sent. */
function reasonOf({ code, message }: MessagingError, needs: RpcRule["needs"] | undefined): string {
  if (code !== "PERMISSION_DENIED") return message;
  return needs === undefined ? "the rpc has no rule" : `no right ${needs} for this`;
}

function asOurs(error: unknown): MessagingError {
  return MessagingError.is(error)
    ? error
    : new MessagingError("INTERNAL", "who calls could not be found out", { cause: error });
}
