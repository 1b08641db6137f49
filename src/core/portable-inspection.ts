import type { CheckedSelection, DriverConnection, DriverStore } from "../driver/driver.js";
import { MessagingError } from "../errors/messaging-error.js";
import type {
  InspectedMessage,
  Inspection,
  MessageSelection,
  QueueCounts,
  ReplayOptions,
} from "../ports/inspection.js";
import { checkBrowse, checkRemove, checkReplay, checkUpdate, refuse } from "./check-selection.js";
import type { CoreContext } from "./core-context.js";
import { matcher, toInspectedMessage, toTakenMessage } from "./inspected-message.js";
import { OperatorCall } from "./operator-call.js";
import { checkName } from "./options.js";
import { queueSpec } from "./queue-spec.js";
import { Replay } from "./replay.js";
import { TakenMessages } from "./taken-messages.js";

/** By the store itself where the driver has one; otherwise by taking messages and giving them back. */
export class PortableInspection implements Inspection {
  readonly #context: CoreContext;
  readonly #hasStore: boolean;

  constructor(context: CoreContext) {
    this.#context = context;
    this.#hasStore = context.driver.capabilities.inspection === "all";
  }

  async counts(queue: string): Promise<QueueCounts> {
    checkName("queue", queue);
    return this.#run(`counts of ${queue}`, undefined, (call) =>
      call.ask((connection) => {
        if (connection.counts !== undefined) return connection.counts(this.#spec(queue));
        throw new MessagingError("INTERNAL", "the driver has no counts, although its capability inspection says so");
      }),
    );
  }

  async browse(queue: string, given: MessageSelection = {}): Promise<readonly InspectedMessage[]> {
    const selection = checkBrowse(queue, given, this.#context.driver.capabilities);
    return this.#run(`browse ${queue}`, given.signal, async (call) => {
      if (!this.#hasStore) return this.#browseByTaking(call, queue, selection);
      const views = await call.askInSteps((connection, signal) =>
        storeOf(connection).browse(this.#spec(queue), { ...selection, signal }),
      );
      return views.map(toInspectedMessage);
    });
  }

  async remove(queue: string, given: MessageSelection, as: "removed" | "processed" = "removed"): Promise<number> {
    const selection = checkRemove(queue, given, as, this.#context.driver.capabilities);
    return this.#run(`remove from ${queue}`, given.signal, (call) => {
      if (!this.#hasStore) return this.#removeByTaking(call, queue, selection);
      return this.#removeByStore(call, queue, selection, as);
    });
  }

  async replay(queue: string, given: ReplayOptions = {}): Promise<number> {
    const options = checkReplay(queue, given, this.#context.driver.capabilities);
    return this.#run(`replay ${queue}`, options.signal, async (call) => {
      const store = this.#hasStore ? await call.ask(async (connection) => storeOf(connection)) : undefined;
      return new Replay(call, this.#spec(queue), options).run(store);
    });
  }

  async update(queue: string, messageId: string, body: Uint8Array): Promise<boolean> {
    checkUpdate(queue, messageId, body, this.#context.driver.capabilities);
    if (!this.#hasStore) refuse("update");
    return this.#run(`update in ${queue}`, undefined, (call) =>
      call.ask((connection) => storeOf(connection).update(this.#spec(queue), messageId, body)),
    );
  }

  async #browseByTaking(
    call: OperatorCall,
    queue: string,
    selection: CheckedSelection,
  ): Promise<readonly InspectedMessage[]> {
    const isSelected = matcher(selection);
    const found: InspectedMessage[] = [];
    const taken = new TakenMessages(call, this.#spec(queue));
    try {
      while (found.length < selection.limit) {
        const delivery = await taken.next();
        if (delivery === undefined) break;
        const withBody = isSelected(delivery.message);
        if (withBody) found.push(toTakenMessage(delivery.message));
        taken.keep({ withBody });
      }
      return found;
    } finally {
      await taken.giveBack();
    }
  }

  async #removeByStore(
    call: OperatorCall,
    queue: string,
    selection: CheckedSelection,
    as: "removed" | "processed",
  ): Promise<number> {
    let removed = 0;
    try {
      return await call.askInSteps(
        (connection, signal) => storeOf(connection).remove(this.#spec(queue), { ...selection, signal }, as),
        (late) => {
          removed = late;
        },
      );
    } catch (error) {
      throw this.#withCount(error, removed);
    }
  }

  async #removeByTaking(call: OperatorCall, queue: string, selection: CheckedSelection): Promise<number> {
    const isSelected = matcher(selection);
    let removed = 0;
    const taken = new TakenMessages(call, this.#spec(queue));
    try {
      while (removed < selection.limit) {
        const delivery = await taken.next();
        if (delivery === undefined) break;
        if (isSelected(delivery.message)) {
          await taken.remove();
          removed += 1;
        } else {
          taken.keep({ withBody: false });
        }
      }
      return removed;
    } catch (error) {
      throw this.#withCount(error, removed);
    } finally {
      await taken.giveBack();
    }
  }

  #withCount(error: unknown, removed: number): unknown {
    if (removed === 0) return error;
    const { code, message, retryable } = this.#context.driver.toMessagingError(error);
    return new MessagingError(code, `${message} (${removed} had been removed)`, { cause: error, retryable });
  }

  #run<T>(what: string, signal: AbortSignal | undefined, work: (call: OperatorCall) => Promise<T>): Promise<T> {
    return OperatorCall.run(this.#context, { what, signal }, work);
  }

  #spec(queue: string): ReturnType<typeof queueSpec> {
    return queueSpec(queue, this.#context.driver.capabilities);
  }
}

function storeOf({ store }: DriverConnection): DriverStore {
  if (store !== undefined) return store;
  throw new MessagingError("INTERNAL", "the driver has no store, although its capability inspection says so");
}
