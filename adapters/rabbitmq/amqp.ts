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
  createChannel(options?: { readonly highWaterMark?: number }): Promise<AmqpChannel>;
  createConfirmChannel(): Promise<AmqpConfirmChannel>;
  close(): Promise<void>;
}

/** Reaches below the library's public types: the socket, and what happened before anybody could listen. */
export interface AmqpConnectionState {
  readonly serverProperties: Readonly<Record<string, unknown>>;
  readonly stream: AmqpStream;
  readonly blocked: boolean;
  readonly expectSocketClose: boolean;
}

export interface AmqpStream {
  write(chunk: Uint8Array): boolean;
  cork(): void;
  uncork(): void;
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
  checkQueue(queue: string): Promise<unknown>;
  bindQueue(queue: string, exchange: string, pattern: string, headers?: AmqpTable): Promise<unknown>;
  assertExchange(exchange: string, type: string, options: AmqpExchangeOptions): Promise<unknown>;
  checkExchange(exchange: string): Promise<unknown>;
  bindExchange(destination: string, source: string, pattern: string): Promise<unknown>;
  publish(exchange: string, routingKey: string, content: Buffer, options: AmqpPublishOptions): boolean;
  prefetch(count: number): Promise<unknown>;
  consume(
    queue: string,
    onMessage: (message: AmqpMessage | null) => void,
    options: { readonly noAck: boolean },
  ): Promise<{ readonly consumerTag: string }>;
  cancel(consumerTag: string): Promise<unknown>;
  ack(message: AmqpTagged, allUpTo: boolean): void;
  nack(message: AmqpTagged, allUpTo: boolean, requeue: boolean): void;
}

export interface AmqpConfirmChannel extends AmqpChannel {
  publish(
    exchange: string,
    routingKey: string,
    content: Buffer,
    options: AmqpPublishOptions,
    onConfirm?: (error: Error | null) => void,
  ): boolean;
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

export interface AmqpPublishOptions extends AmqpProperties {
  readonly headers: Record<string, unknown>;
  readonly mandatory: boolean;
}

/** What amqplib hands to a confirm callback when the broker refused the message, as against a channel that closed. */
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
    clientProperties: { connection_name: options.connectionName },
  };
  // amqplib unescapes the virtual host once more, also when it is given apart.
  const model: unknown = await connect({ ...target, vhost: encodeURIComponent(target.vhost) }, socketOptions);
  return model as AmqpModel;
}
