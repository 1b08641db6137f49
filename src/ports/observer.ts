import type { SubscriptionState } from "./broadcast.js";
import type { ConnectionState } from "./connection.js";
import type { ConsumerState } from "./queue.js";

/** What happened, as data. Bodies, headers and credentials are never in it. */
export type Observation =
  | {
      readonly type: "connection";
      readonly state: ConnectionState;
      /** When open, and the adapter can tell: the host that it leads to. */
      readonly endpoint?: string | undefined;
      readonly error?: Error | undefined;
    }
  | { readonly type: "connect-failed"; readonly error: Error; readonly retryInMs: number | undefined }
  | { readonly type: "blocked"; readonly blocked: boolean }
  | {
      readonly type: "consumer";
      readonly queue: string;
      readonly state: ConsumerState;
      readonly error?: Error | undefined;
    }
  | {
      readonly type: "subscription";
      readonly broadcast: string;
      readonly state: SubscriptionState;
      readonly error?: Error | undefined;
    }
  | {
      readonly type: "published";
      readonly queue: string;
      readonly messageId: string;
      readonly ms: number;
      readonly sends: number;
    }
  | { readonly type: "publish-failed"; readonly queue: string; readonly messageId: string; readonly error: Error }
  | {
      readonly type: "settled";
      readonly queue: string;
      readonly messageId: string;
      readonly attempt: number;
      readonly outcome: "ack" | "retry" | "release" | "dead-letter";
      readonly reason?: string | undefined;
      readonly ms: number;
      /** False: the settlement was lost, the message will come again. */
      readonly reached: boolean;
    }
  | {
      readonly type: "request-server";
      readonly sink: string;
      readonly state: ConsumerState;
      readonly error?: Error | undefined;
    }
  | { readonly type: "inbox"; readonly state: "live" | "recovering"; readonly error?: Error | undefined }
  | {
      /** A call is over, as this side sees it. */
      readonly type: "call";
      readonly side: "client" | "server";
      readonly sink: string;
      readonly callId: string;
      readonly error?: Error | undefined;
      readonly responses: number;
      readonly ms: number;
    }
  | {
      /** A sink goes on with a call that is over, although it has been told. */
      readonly type: "call-abandoned";
      readonly sink: string;
      readonly callId: string;
    }
  | { readonly type: "handler-failed"; readonly source: string; readonly messageId: string; readonly error: Error }
  | {
      /** Something that could not be passed on and is gone, by design or by a bound; never silently. */
      readonly type: "discarded";
      readonly source: string;
      readonly reason: string;
      readonly messageId?: string | undefined;
      /** How many, where they are told together. Default 1. */
      readonly count?: number | undefined;
    }
  | {
      /** A broker will take this delivery back before long: its handler has used four fifths of its time. */
      readonly type: "delivery-held";
      readonly queue: string;
      readonly messageId: string;
      readonly ms: number;
      readonly limitMs: number;
    }
  | {
      /** A client of a gateway was turned away, or slowed down. Never holds what it presented. */
      readonly type: "client-refused";
      /** Who it is, where that is known. */
      readonly client: string | undefined;
      /** Its address. */
      readonly peer: string;
      /** The rpc, or `connection`. */
      readonly what: string;
      readonly reason: string;
      /** How many, where they are told together. Default 1. */
      readonly count?: number | undefined;
    }
  | {
      /** Tokens or certificates were read anew. After an error the former stay in use. A warning: they are in use, but not as they should be. */
      readonly type: "credentials";
      readonly source: string;
      readonly error?: Error | undefined;
      readonly warning?: string | undefined;
    }
  | {
      readonly type: "event-subscriber";
      readonly clientId: string;
      readonly change: "joined" | "replaced" | "closed" | "gone" | "drained";
      /** Events that it leaves behind; others get them. */
      readonly unacknowledged: number;
    }
  | {
      readonly type: "event-attempt-failed";
      readonly messageId: string;
      readonly attempt: number;
      readonly clientId: string;
      readonly reason: string;
    }
  | { readonly type: "event-ack-ignored"; readonly reason: "late" | "repeated" | "unknown" | "unresolved" }
  | { readonly type: "event-intake-failed"; readonly error: Error; readonly retryInMs: number };

/** Is told everything, and must not throw; what it throws is dropped, so that telling never harms the work. */
export type Observer = (observation: Observation) => void;
