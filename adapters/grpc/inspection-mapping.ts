import { MessagingError } from "../../src/errors/messaging-error.js";
import type { InspectedMessage, MessageSelection, MessageState, QueueCounts } from "../../src/ports/inspection.js";
import type { CountsResponse, CountsResponse__Output } from "./gen/fairlead/v1/CountsResponse.js";
import type {
  InspectedMessage as WireInspected,
  InspectedMessage__Output as WireInspected__Output,
} from "./gen/fairlead/v1/InspectedMessage.js";
import type {
  MessageSelection as WireSelection,
  MessageSelection__Output as WireSelection__Output,
} from "./gen/fairlead/v1/MessageSelection.js";

const WIRE_STATE = {
  available: "MESSAGE_STATE_AVAILABLE",
  "in-processing": "MESSAGE_STATE_IN_PROCESSING",
  processed: "MESSAGE_STATE_PROCESSED",
  failed: "MESSAGE_STATE_FAILED",
  removed: "MESSAGE_STATE_REMOVED",
  reaped: "MESSAGE_STATE_REAPED",
} as const satisfies Record<MessageState, string>;

const STATES = Object.entries(WIRE_STATE) as readonly (readonly [MessageState, string])[];

/** As the request says; what makes no sense is refused by whoever uses it. Throws `INVALID_ARGUMENT` for an unknown state. */
export function fromWireSelection(wire: WireSelection__Output | null): MessageSelection {
  if (wire === null) return {};
  const { messageIds, headers, states, dueFromMs, dueBeforeMs, limit } = wire;
  return {
    ...(messageIds.length === 0 ? {} : { messageIds }),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...(states.length === 0 ? {} : { states: states.map(fromWireState) }),
    ...(dueFromMs === undefined ? {} : { dueFrom: Number(dueFromMs) }),
    ...(dueBeforeMs === undefined ? {} : { dueBefore: Number(dueBeforeMs) }),
    ...(limit === 0 ? {} : { limit }),
  };
}

export function toWireSelection(selection: MessageSelection): WireSelection {
  const { messageIds = [], headers = {}, states = [], dueFrom, dueBefore, limit = 0 } = selection;
  return {
    messageIds: [...messageIds],
    headers,
    states: states.map((state) => WIRE_STATE[state]),
    limit,
    ...(dueFrom === undefined ? {} : { dueFromMs: String(Math.ceil(dueFrom)) }),
    ...(dueBefore === undefined ? {} : { dueBeforeMs: String(Math.ceil(dueBefore)) }),
  };
}

export function toWireInspected(message: InspectedMessage): WireInspected {
  const { messageId, body, headers, state, attempt, publishedAt, dueAt, changedAt } = message;
  return {
    messageId,
    body,
    headers,
    state: WIRE_STATE[state],
    attempt,
    publishedAtMs: whole(publishedAt),
    ...(dueAt === undefined ? {} : { dueAtMs: whole(dueAt) }),
    ...(changedAt === undefined ? {} : { changedAtMs: whole(changedAt) }),
  };
}

export function fromWireInspected(wire: WireInspected__Output): InspectedMessage {
  const { messageId, body, headers, state, attempt, publishedAtMs, dueAtMs, changedAtMs } = wire;
  return {
    messageId,
    body,
    headers,
    state: fromWireState(state),
    attempt,
    publishedAt: Number(publishedAtMs),
    dueAt: numberOf(dueAtMs),
    changedAt: numberOf(changedAtMs),
  };
}

export function toWireCounts({ ready, delayed, inProcessing, oldestReadyMs }: QueueCounts): CountsResponse {
  return {
    ready: String(ready),
    ...(delayed === undefined ? {} : { delayed: String(delayed) }),
    ...(inProcessing === undefined ? {} : { inProcessing: String(inProcessing) }),
    ...(oldestReadyMs === undefined ? {} : { oldestReadyMs: whole(Math.max(0, oldestReadyMs)) }),
  };
}

export function fromWireCounts({ ready, delayed, inProcessing, oldestReadyMs }: CountsResponse__Output): QueueCounts {
  return {
    ready: Number(ready),
    delayed: numberOf(delayed),
    inProcessing: numberOf(inProcessing),
    oldestReadyMs: numberOf(oldestReadyMs),
  };
}

function fromWireState(wire: string): MessageState {
  const found = STATES.find(([, name]) => name === wire);
  if (found === undefined) throw new MessagingError("INVALID_ARGUMENT", `there is no message state ${wire} here`);
  return found[0];
}

function whole(ms: number): string {
  return String(Math.round(ms));
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
