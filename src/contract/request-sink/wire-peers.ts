import { randomUUID } from "node:crypto";
import { FRAME, FRAME_HEADER, LANES, type QueueSpec, type WireDelivery, type WireMessage } from "../../driver/index.js";
import type { ErrorCode, Priority } from "../../index.js";
import type { ContractContext, ContractLink } from "../context.js";
import { wire } from "../driver/steps.js";
import type { Collector } from "../probe.js";
import { bytes } from "../text.js";

type Headers = Readonly<Record<string, string>>;

export interface Frame {
  readonly type: string;
  readonly headers?: Headers | undefined;
  readonly body?: string | Uint8Array | undefined;
  readonly contentType?: string | undefined;
}

/** [call, highest sequence sent, waits for credit] */
export type AliveEntry = readonly [id: string, sequence: number, isBlocked: boolean];

/** A server made by hand: it takes requests and says what a case tells it to say, right or wrong. */
export interface WireServer extends ContractLink {
  readonly nodeId: string;
  /** Requests, in the order in which they came. */
  readonly signals: Collector<WireDelivery>;
  /** What clients told this node, or all nodes. */
  readonly heard: Collector<WireMessage>;
  /** What clients uploaded. */
  readonly uploaded: Collector<WireMessage>;
  readonly inbox: string;
  send(to: WireMessage, frame: Frame): Promise<void>;
  respond(to: WireMessage, sequence: number, body: string): Promise<void>;
  finish(to: WireMessage, total: number): Promise<void>;
  fail(to: WireMessage, code: ErrorCode, headers?: Headers): Promise<void>;
  alive(to: WireMessage, intervalMs: number, ...calls: readonly AliveEntry[]): Promise<void>;
  /** Names one call whose end was sent. */
  aliveOver(to: WireMessage, intervalMs: number, call: string, sequence: number): Promise<void>;
}

export interface WireServerOptions {
  /** None: its frames say no version. Default `"V5"`. */
  readonly version?: string | undefined;
  /** False: requests stay unsettled, so that they come again when its link is gone. Default true. */
  readonly settles?: boolean | undefined;
}

/** Where clients tell nodes of credit and aborts. */
export function controlBroadcast(name: string): string {
  return `${name}.control`;
}

export function requestQueue(name: string): QueueSpec {
  return { name, deadLetterQueue: undefined, lanes: true };
}

function describeFrame({ type, correlationId, headers }: WireMessage): string {
  const own = Object.entries(headers).map(([name, value]) => `${name.replace("fairlead-", "")} ${value}`);
  return `${type ?? "?"} of ${correlationId?.slice(0, 8) ?? "?"} {${own.join(", ")}}`;
}

export async function wireServer(
  context: ContractContext,
  name: string,
  { version = "V5", settles = true }: WireServerOptions = {},
): Promise<WireServer> {
  const link = await context.link();
  const { connection } = link;
  const nodeId = randomUUID();
  const signals = context.collector<WireDelivery>("requests", ({ message }) => describeFrame(message));
  const heard = context.collector<WireMessage>("frames to the server", describeFrame);
  const uploaded = context.collector<WireMessage>("frames to the server's inbox", describeFrame);
  const ignore = (): void => {};
  const opening = connection.openInbox(uploaded.add, ignore);
  const { address } = await context.soon(opening, "openInbox");
  await context.soon(connection.subscribe(controlBroadcast(name), nodeId, heard.add, ignore), "subscribe");
  const onDelivery = (delivery: WireDelivery): void => {
    signals.add(delivery);
    if (settles) void delivery.settle("ack");
  };
  for (const lane of LANES) {
    const consuming = connection.consume(requestQueue(name), { prefetch: 20, lane }, onDelivery, ignore);
    await context.soon(consuming, `consume of lane ${lane}`);
  }
  const own: Headers = {
    [FRAME_HEADER.node]: nodeId,
    ...(version === "" ? {} : { [FRAME_HEADER.version]: version }),
  };
  const toInbox = (to: WireMessage, correlationId: string, frame: Frame): Promise<void> => {
    const message = wire(frame.body ?? "", {
      messageId: correlationId,
      type: frame.type,
      correlationId,
      replyTo: name,
      headers: {
        ...own,
        ...(frame.type === FRAME.channelSetup ? { [FRAME_HEADER.inbox]: address } : {}),
        ...frame.headers,
      },
      ...(frame.contentType === undefined ? {} : { contentType: frame.contentType }),
    });
    return context.soon(
      connection.publish({ kind: "inbox", address: to.replyTo ?? "" }, message),
      `frame ${frame.type} to the client`,
    );
  };
  const send = (to: WireMessage, frame: Frame) => toInbox(to, to.correlationId ?? "", frame);
  return {
    ...link,
    nodeId,
    signals,
    heard,
    uploaded,
    inbox: address,
    send,
    respond: (to, sequence, body) =>
      send(to, { type: FRAME.response, headers: { [FRAME_HEADER.sequence]: String(sequence) }, body }),
    finish: (to, total) => send(to, { type: FRAME.end, headers: { [FRAME_HEADER.totalResponses]: String(total) } }),
    fail: (to, code, headers = {}) =>
      send(to, {
        type: FRAME.error,
        headers,
        contentType: "application/json",
        body: JSON.stringify({ code, message: `the server says ${code}` }),
      }),
    alive: (to, intervalMs, ...calls) =>
      toInbox(to, to.replyTo ?? "", {
        type: FRAME.alive,
        contentType: "application/json",
        body: JSON.stringify({ intervalMs, calls }),
      }),
    aliveOver: (to, intervalMs, call, sequence) =>
      toInbox(to, to.replyTo ?? "", {
        type: FRAME.alive,
        contentType: "application/json",
        body: JSON.stringify({ intervalMs, calls: [[call, sequence, false, true]] }),
      }),
  };
}

/** The first request's message; fails with what came instead. */
export async function firstSignal(server: WireServer, index = 0): Promise<WireMessage> {
  return (await server.signals.at(index)).message;
}

/** A client made by hand. */
export interface WireClient extends ContractLink {
  readonly clientId: string;
  readonly inbox: string;
  readonly frames: Collector<WireMessage>;
  closeInbox(): Promise<void>;
  /** Another inbox, in place of the one before; frames to it are kept with the others. */
  openInbox(): Promise<string>;
  /** Sends a request and returns its name on the wire. */
  signal(body: string, more?: WireSignal): Promise<string>;
  /** Tells one node, or all. */
  tell(type: string, call: string, headers?: Headers, node?: string): Promise<void>;
  /** Tells the node to go on after the responses that have come, in the present inbox. */
  resume(call: string, node: string, more: WireResume): Promise<void>;
  /** Tells the node that these calls' ends have come. */
  closing(calls: readonly string[], node: string): Promise<void>;
  upload(to: string, call: string, frame: Frame): Promise<void>;
  /** Frames of this type. */
  all(type: string): readonly WireMessage[];
}

export interface WireResume {
  readonly counter: number;
  readonly received: number;
  readonly inbox?: string | undefined;
  /** Undefined: as many as have come. */
  readonly consumed?: number | undefined;
  readonly clientId?: string | undefined;
}

export interface WireSignal {
  readonly type?: string | undefined;
  readonly lane?: Priority | undefined;
  readonly call?: string | undefined;
  readonly contentType?: string | undefined;
  /** Undefined values take a header away. */
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined;
  /** Empty: none. */
  readonly replyTo?: string | undefined;
}

export async function wireClient(context: ContractContext, name: string): Promise<WireClient> {
  const link = await context.link();
  const { connection } = link;
  const clientId = randomUUID();
  const frames = context.collector<WireMessage>("frames to the client", describeFrame);
  const openInbox = () =>
    context.soon(
      connection.openInbox(frames.add, () => {}),
      "openInbox",
    );
  let inbox = await openInbox();
  const broadcast = (
    type: string,
    call: string,
    headers: Headers,
    node: string | undefined,
    body = "",
  ): Promise<void> => {
    const message = wire(body, { messageId: call, type, correlationId: call, headers });
    return context.soon(
      connection.publish({ kind: "broadcast", name: controlBroadcast(name), node }, message),
      `broadcast ${type}`,
    );
  };
  return {
    ...link,
    clientId,
    get inbox() {
      return inbox.address;
    },
    frames,
    closeInbox: () => context.soon(inbox.stop(), "stop of the inbox"),
    async openInbox() {
      inbox = await openInbox();
      return inbox.address;
    },
    resume(call, node, more) {
      const { counter, received, consumed = received } = more;
      const headers = {
        [FRAME_HEADER.client]: more.clientId ?? clientId,
        [FRAME_HEADER.inbox]: more.inbox ?? inbox.address,
        [FRAME_HEADER.received]: String(received),
        [FRAME_HEADER.resume]: String(counter),
        [FRAME_HEADER.consumed]: String(consumed),
        [FRAME_HEADER.grantedUpTo]: String(consumed + 512),
      };
      return broadcast(FRAME.resume, call, headers, node);
    },
    closing(calls, node) {
      const headers = { [FRAME_HEADER.client]: clientId, [FRAME_HEADER.closing]: "true" };
      return broadcast(FRAME.credit, clientId, headers, node, JSON.stringify(calls));
    },
    async signal(body, more = {}) {
      const { type = FRAME.signal, lane = "standard", call = randomUUID(), replyTo = inbox.address } = more;
      const headers = defined({
        [FRAME_HEADER.version]: "V4",
        [FRAME_HEADER.maxVersion]: "V5",
        [FRAME_HEADER.client]: clientId,
        [FRAME_HEADER.callId]: `id of ${call}`,
        [FRAME_HEADER.timeoutMs]: "60000",
        [FRAME_HEADER.timestamp]: String(Date.now()),
        [FRAME_HEADER.window]: "512",
        [FRAME_HEADER.windowBytes]: "8388608",
        ...more.headers,
      });
      const message = wire(body, {
        messageId: call,
        type,
        correlationId: call,
        replyTo: replyTo === "" ? undefined : replyTo,
        headers,
        priority: lane,
        ...(more.contentType === undefined ? {} : { contentType: more.contentType }),
      });
      await context.soon(connection.publish({ kind: "queue", queue: requestQueue(name), lane }, message), "request");
      return call;
    },
    tell: (type, call, headers = {}, node = undefined) =>
      broadcast(type, call, { [FRAME_HEADER.client]: clientId, ...headers }, node),
    async upload(to, call, { type, headers = {}, body = "" }) {
      const message = wire(typeof body === "string" ? bytes(body) : body, {
        messageId: call,
        type,
        correlationId: call,
        headers: { [FRAME_HEADER.client]: clientId, ...headers },
      });
      await context.soon(connection.publish({ kind: "inbox", address: to }, message), `frame ${type} to the server`);
    },
    all: (type) => frames.items.filter((frame) => frame.type === type),
  };
}

function defined(headers: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(entries);
}

/** The number in a header. */
export function numberOf(frame: WireMessage | undefined, header: string): number {
  return Number(frame?.headers[header]);
}
