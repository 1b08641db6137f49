import { connect } from "amqplib";

/**
 * The part of amqplib that is used, by name: what an upgrade must keep, and all that one has to read to know what this
 * adapter asks of the library.
 */
export interface AmqpModel {
  readonly connection: AmqpConnectionState;
  on(event: "close", listener: (error?: Error) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "blocked" | "unblocked", listener: () => void): unknown;
  createChannel(): Promise<AmqpChannel>;
  createConfirmChannel(): Promise<AmqpConfirmChannel>;
  /** `connection.update-secret`. May stay open for good when the link dies. */
  updateSecret(secret: Buffer, reason: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Reaches below the library's public types: the socket, what happened before anybody could listen, the channels' numbers. */
export interface AmqpConnectionState {
  readonly serverProperties: Readonly<Record<string, unknown>>;
  readonly stream: AmqpStream;
  readonly blocked: boolean;
  readonly expectSocketClose: boolean;
  on(event: "error", listener: (error: Error) => void): unknown;
  /** Seconds, as agreed with the broker. */
  readonly heartbeat: number;
  /** The highest number that a channel may have, as agreed with the broker. */
  readonly channelMax: number;
  /** By number; null where it is free. All are told when the connection ends. */
  readonly channels: (AmqpChannelPlace | null)[];
  /** A bit is set where a number is taken. */
  readonly freeChannels: { set(number: number): void; clear(number: number): void; nextClearBit(from: number): number };
  /** Of a frame with all that is around its payload. */
  readonly frameMax: number;
  /** The largest that is taken; 0 for any. */
  readonly maxFrameSize: number;
  /** For the heartbeats. */
  sentSinceLastCheck: boolean;
  recvSinceLastCheck: boolean;
  /** What was read from the socket, and is no whole frame. */
  rest: Buffer;
  /** The next frame; false when more must come first. */
  recvFrame(): unknown;
  accept(frame: unknown): void;
  /** True: there is room for more. What stands for method and header is amqplib's own. */
  sendMessage(
    channel: number,
    method: unknown,
    fields: AmqpPublishMethod,
    header: unknown,
    properties: AmqpProperties,
    content: Buffer,
  ): boolean;
  /** Takes the lowest number that is free, or throws. */
  freshChannel(channel: object, options?: object): number;
  releaseChannel(number: number): void;
}

/** What a connection of ours says that it is; operators see it at the broker. */
export const PRODUCT = "fairlead";

export interface AmqpOpenFields {
  readonly clientProperties: Readonly<Record<string, unknown>>;
}

/** In the library's `lib/connection.js`, by that name. */
export interface AmqpConnectionClass {
  /** `open`: does the set-up, and begins to read what comes behind it. */
  readonly prototype: { open(this: AmqpConnectionState, fields: AmqpOpenFields, ...more: unknown[]): unknown };
}

/** What is told of the frames for one number. */
export interface AmqpChannelPlace {
  readonly channel: {
    accept(frame: unknown): void;
    toClosed(): void;
    onBufferDrain?(): void;
    /** By tag. */
    readonly consumers?: ReadonlyMap<string, (message: AmqpMessage) => void>;
    /** Absent on channel 0. */
    emit?(event: "ack", confirm: AmqpConfirm): unknown;
  };
  /** Where its frames are written to. */
  readonly buffer?: { write(chunk: Uint8Array): boolean; end(): void };
}

export interface AmqpStream {
  write(chunk: Uint8Array): boolean;
  read(): Buffer | null;
  cork(): void;
  uncork(): void;
  /** False once it has ended. */
  readonly writable: boolean;
  /** What was written, and is not with the system yet. */
  readonly writableLength: number;
  on(event: "drain", listener: () => void): unknown;
  destroy(error: Error): unknown;
}

export interface AmqpExchangeOptions {
  readonly durable: boolean;
  /** Where what finds no way out of it goes. */
  readonly alternateExchange?: string;
}

export interface AmqpChannel {
  on(event: "close" | "drain", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "return", listener: (message: AmqpMessage) => void): unknown;
  close(): Promise<void>;
  assertQueue(queue: string, options: AmqpQueueOptions): Promise<{ readonly queue: string }>;
  checkQueue(queue: string): Promise<{ readonly messageCount: number }>;
  get(queue: string, options: { readonly noAck: boolean }): Promise<AmqpMessage | false>;
  bindQueue(queue: string, exchange: string, pattern: string, headers?: AmqpTable): Promise<unknown>;
  assertExchange(exchange: string, type: string, options: AmqpExchangeOptions): Promise<unknown>;
  checkExchange(exchange: string): Promise<unknown>;
  bindExchange(destination: string, source: string, pattern: string): Promise<unknown>;
  /** What `publish` comes to, without its copies. True: there is room for more. Throws once the channel is closing. */
  sendMessage(method: AmqpPublishMethod, properties: AmqpProperties, content: Buffer): boolean;
  prefetch(count: number): Promise<unknown>;
  consume(
    queue: string,
    onMessage: (message: AmqpMessage | null) => void,
    options: { readonly noAck: boolean; readonly arguments?: AmqpTable },
  ): Promise<{ readonly consumerTag: string }>;
  cancel(consumerTag: string): Promise<unknown>;
  ack(message: AmqpTagged, allUpTo: boolean): void;
  nack(message: AmqpTagged, allUpTo: boolean, requeue: boolean): void;
}

export interface AmqpConfirmChannel extends AmqpChannel {
  on(event: "close" | "drain", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "return", listener: (message: AmqpMessage) => void): unknown;
  on(event: "ack" | "nack", listener: (confirm: AmqpConfirm) => void): unknown;
  removeAllListeners(event: "ack" | "nack"): unknown;
}

export interface AmqpConfirm {
  readonly deliveryTag: number;
  /** All up to that one. */
  readonly multiple: boolean;
}

export type AmqpTable = Readonly<Record<string, unknown>>;

export interface AmqpQueueOptions {
  readonly durable: boolean;
  readonly exclusive?: boolean;
  readonly autoDelete?: boolean;
  readonly arguments: AmqpTable;
}

/** What settling needs of a message. */
export interface AmqpTagged {
  readonly fields: { readonly deliveryTag: number };
}

export interface AmqpMessage {
  readonly content: Buffer;
  readonly fields: { readonly deliveryTag: number; readonly redelivered: boolean };
  readonly properties: AmqpProperties;
}

/** Absent ones are undefined; the foreign ones among them are kept when a message is published again. */
export interface AmqpProperties {
  readonly headers?: AmqpTable | undefined;
  readonly contentType?: string | undefined;
  readonly contentEncoding?: string | undefined;
  readonly deliveryMode?: number | undefined;
  readonly priority?: number | undefined;
  readonly correlationId?: string | undefined;
  readonly replyTo?: string | undefined;
  readonly expiration?: string | undefined;
  readonly messageId?: string | undefined;
  readonly timestamp?: number | undefined;
  readonly type?: string | undefined;
  readonly appId?: string | undefined;
}

/** Where a message goes. */
export interface AmqpPublishMethod {
  readonly exchange: string;
  readonly routingKey: string;
  readonly mandatory: boolean;
}

/** What is sent with a message; the headers are ours to add to. */
export interface AmqpPublishOptions extends AmqpProperties {
  readonly headers: Record<string, unknown>;
}

/** Of the error when the broker refused a message, as against a channel that closed. */
export const NACKED = "message nacked";

/** The reply codes of the protocol that this adapter acts upon. */
export const REPLY = {
  contentTooLarge: 311,
  noConsumers: 313,
  connectionForced: 320,
  invalidPath: 402,
  accessRefused: 403,
  notFound: 404,
  resourceLocked: 405,
  preconditionFailed: 406,
  resourceError: 506,
  notAllowed: 530,
  notImplemented: 540,
  internalError: 541,
} as const;

/** The broker refuses a longer expiration (ten years). */
export const MAX_EXPIRATION_MS = 315_360_000_000;

/** Prefetch travels in 16 bits. */
export const MAX_PREFETCH = 65_535;

export interface AmqpTarget {
  readonly protocol: "amqp" | "amqps";
  readonly hostname: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly vhost: string;
  readonly heartbeat: number;
}

export interface AmqpSocketOptions {
  /** Destroys the socket, at any step of the set-up. */
  readonly signal: AbortSignal;
  readonly connectionName: string;
  readonly tls: object;
}

/** How much may wait in the socket's own buffer: one corked write of a loop turn goes out whole. */
const SOCKET_BUFFER_BYTES = 131_072;

export async function connectAmqp(target: AmqpTarget, options: AmqpSocketOptions): Promise<AmqpModel> {
  const socketOptions = {
    ...options.tls,
    // Without it each reply that is followed by an ack waits 40 ms for the peer's delayed ACK.
    noDelay: true,
    keepAlive: true,
    writableHighWaterMark: SOCKET_BUFFER_BYTES,
    signal: options.signal,
    clientProperties: { connection_name: options.connectionName, product: PRODUCT },
  };
  // amqplib unescapes the virtual host once more, also when it is given apart.
  const model: unknown = await connect({ ...target, vhost: encodeURIComponent(target.vhost) }, socketOptions);
  return model as AmqpModel;
}
