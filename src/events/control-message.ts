import { createHash } from "node:crypto";
import type { NodeId } from "../ports/broadcast.js";

/** What the servers of one queue of events say to each other. */
export type ControlMessage =
  /** To the server that delivered the event: a client has answered it here. */
  | {
      readonly kind: "ack";
      readonly id: string;
      readonly from: NodeId;
      readonly token: string;
      readonly success: boolean;
    }
  /** To all: whoever holds this client is to end its stream. What came later than `ageMs` ago is not meant. */
  | {
      readonly kind: "close";
      readonly id: string;
      readonly from: NodeId;
      readonly clientId: string;
      readonly ageMs: number;
    }
  /** To the server that asked. */
  | { readonly kind: "answer"; readonly id: string; readonly outcome: string }
  /** To all: these events, by `identityOf`, are done, wherever they come from now on. `from` is a service, not a node. */
  | { readonly kind: "done"; readonly from: string; readonly events: readonly string[] };

/** A message that says another is of a program that this one does not know, and is left alone. */
const VERSION = 1;
/** Of a broadcast's name, in UTF-8. */
const MAX_NAME_BYTES = 150;
const MAX_EVENTS = 1_000;

/** The broadcast of the servers that share the queue. */
export function controlName(queue: string): string {
  const name = `${queue}.control`;
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  return `${createHash("sha256").update(queue).digest("hex")}.control`;
}

export function formatControl(message: ControlMessage): unknown {
  return { v: VERSION, ...message };
}

/** Undefined for what is none, or none that this version knows. */
export function parseControl(value: unknown): ControlMessage | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { v, kind, id, from, token, success, clientId, ageMs, outcome, events } = value as Record<string, unknown>;
  if (v !== VERSION) return undefined;
  if (kind === "done") return isText(from) && isTexts(events) ? { kind, from, events } : undefined;
  if (!isText(id)) return undefined;
  if (kind === "answer") return isText(outcome) ? { kind, id, outcome } : undefined;
  if (!isText(from)) return undefined;
  if (kind === "close") return isText(clientId) && isTime(ageMs) ? { kind, id, from, clientId, ageMs } : undefined;
  if (kind !== "ack" || !isText(token) || typeof success !== "boolean") return undefined;
  return { kind, id, from, token, success };
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= MAX_EVENTS && value.every(isText);
}
