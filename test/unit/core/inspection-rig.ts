import { createMessaging } from "../../../src/core/messaging.js";
import type {
  CheckedSelection,
  ConnectOptions,
  Driver,
  DriverConnection,
  DriverStore,
  StoredMessageView,
  WireDelivery,
  WireMessage,
} from "../../../src/driver/driver.js";
import { DEAD_QUEUE_HEADER } from "../../../src/driver/reserved-headers.js";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import type { Inspection } from "../../../src/ports/inspection.js";
import type { MessageHeaders } from "../../../src/ports/message.js";
import type { Messaging } from "../../../src/ports/messaging.js";
import { scriptedDelivery } from "../../support/scripted-delivery.js";
import { VirtualClock } from "../../support/virtual-clock.js";

/** What a store holds, available. */
export const storedMessage = (
  id: string,
  headers: MessageHeaders = { [DEAD_QUEUE_HEADER]: "orders" },
): StoredMessageView => ({
  key: Symbol(id),
  bodyBytes: 1,
  message: scriptedDelivery(id, headers).message,
  state: "available",
  dueAt: undefined,
  changedAt: undefined,
});

export interface Published {
  readonly queue: string;
  readonly message: WireMessage;
}

/** What is answered only when the test says so. */
export interface Gates {
  take: Promise<void> | undefined;
  /** So many takes are answered all the same. */
  freeTakes: number;
  /** Also what the store moves and removes. */
  publish: Promise<void> | undefined;
}

/** A broker of which the test says what it hands out, and when. */
export interface InspectionRig {
  readonly clock: VirtualClock;
  readonly messaging: Messaging;
  readonly inspection: Inspection;
  /** What take hands out, in order; then nothing. */
  readonly ready: WireDelivery[];
  readonly published: Published[];
  /** What the store holds. */
  readonly stored: StoredMessageView[];
  /** Limits that the store was asked with. */
  readonly pages: number[];
  /** Those that the store was asked to remove with. */
  readonly signals: (AbortSignal | undefined)[];
  /** How many it was asked to move at once. */
  readonly moves: number[];
  readonly gates: Gates;
  lose(): void;
}

export async function inspectionRig(inspection: "ready" | "all" = "ready"): Promise<InspectionRig> {
  const clock = new VirtualClock();
  const ready: WireDelivery[] = [];
  const published: Published[] = [];
  const stored: StoredMessageView[] = [];
  const pages: number[] = [];
  const sizes: number[] = [];
  const signals: (AbortSignal | undefined)[] = [];
  const gates: Gates = { take: undefined, freeTakes: 0, publish: undefined };
  let options: ConnectOptions | undefined;
  const isSelected = ({ messageIds }: CheckedSelection, { message }: StoredMessageView): boolean =>
    messageIds === undefined || messageIds.includes(message.messageId);
  const store: DriverStore = {
    async browse(_, selection) {
      pages.push(selection.limit);
      return stored.filter((view) => isSelected(selection, view)).slice(0, selection.limit);
    },
    async move(_, moves) {
      sizes.push(moves.length);
      let moved = 0;
      for (const { key, to, headers } of moves) {
        await gates.publish;
        const at = stored.findIndex((view) => view.key === key);
        const [view] = at < 0 ? [] : stored.splice(at, 1);
        if (view === undefined) continue;
        published.push({ queue: to.name, message: { ...view.message, headers } });
        moved += 1;
      }
      return moved;
    },
    async remove(_, selection) {
      signals.push(selection.signal);
      await gates.publish;
      const found = stored.filter((view) => isSelected(selection, view)).slice(0, selection.limit);
      for (const view of found) stored.splice(stored.indexOf(view), 1);
      return found.length;
    },
    update: async (_, messageId) => stored.some(({ message }) => message.messageId === messageId),
  };
  const nothing = { stop: async () => {} };
  const connection: DriverConnection = {
    async publish(to, message) {
      await gates.publish;
      if (to.kind === "queue") published.push({ queue: to.queue.name, message });
    },
    consume: async () => ({ ...nothing, setPrefetch: async () => {} }),
    subscribe: async () => nothing,
    openInbox: async () => ({ ...nothing, address: "inbox" }),
    async take() {
      gates.freeTakes -= 1;
      if (gates.freeTakes < 0) await gates.take;
      return ready.shift();
    },
    counts: async () => ({
      ready: ready.length,
      delayed: undefined,
      inProcessing: undefined,
      oldestReadyMs: undefined,
    }),
    ...(inspection === "all" ? { store } : {}),
    close: async () => {},
  };
  const driver: Driver = {
    name: "scripted",
    capabilities: {
      queue: {
        persistent: true,
        deadLetter: true,
        delayedDelivery: true,
        expiry: true,
        priority: false,
        deduplication: false,
        ordering: "until-requeue",
      },
      broadcast: { loopback: true },
      inspection,
      maxMessageBytes: 1_000,
    },
    async connect(given) {
      options = given;
      return connection;
    },
    toMessagingError: (error) => (MessagingError.is(error) ? error : new MessagingError("UNKNOWN", String(error))),
  };
  const messaging = createMessaging({ driver, clock });
  await messaging.open();
  if (messaging.inspection === undefined) throw new Error("no inspection");
  return {
    clock,
    messaging,
    inspection: messaging.inspection,
    ready,
    published,
    stored,
    pages,
    signals,
    moves: sizes,
    gates,
    lose: () => options?.onLost(new MessagingError("UNAVAILABLE", "the link was cut")),
  };
}
