import { MessagingError } from "../errors/messaging-error.js";
import type { MessageSelection, QueueCounts } from "../ports/inspection.js";
import { EXIT_CODE, type ExitCode } from "./exit-code.js";
import { eventRow, messageBlock, messageJson } from "./message-text.js";
import { type OpenInspection, openInspection, operatorFailure } from "./open-inspection.js";
import { MAX_LIMIT, type OperatorOrder, tellLimit } from "./operator-flags.js";
import { printLine } from "./print-line.js";
import { onStopSignal } from "./stop-signal.js";

export interface EventsOrder extends OperatorOrder {
  readonly action: "list" | "show" | "remove" | "counts";
}

/** The earliest that a Date knows. */
const BEGINNING_OF_TIME = -8_640_000_000_000_000;

/** Looks at events, or removes them, and tells their number. */
export async function runEvents(order: EventsOrder): Promise<ExitCode> {
  const stop = onStopSignal();
  const open = await openInspection(order, { dead: false });
  try {
    if (order.action === "counts") return await counts(order, open);
    const selection = { ...onlyByStore(order.selection), signal: stop.signal };
    if (order.action === "remove") {
      const removed = await open.inspection.remove(open.queue, selection);
      await printLine(`${removed} removed`);
      tellLimit(removed, selection.limit, "removed");
      return EXIT_CODE.ok;
    }
    return await show(order, open, selection);
  } catch (error) {
    if (stop.signal.aborted) throw new Error(`events ${order.action}: stopped by a signal; it can be repeated`);
    const told = MessagingError.is(error, "UNSUPPORTED") ? noStore(error) : error;
    throw operatorFailure(told, `events ${order.action}`, order.over, open.place);
  } finally {
    await open.close();
    stop.dispose();
  }
}

async function show(
  { action, json }: EventsOrder,
  { inspection, queue, shownQueue }: OpenInspection,
  selection: MessageSelection & { readonly limit: number },
): Promise<ExitCode> {
  const found = await inspection.browse(queue, selection);
  for (const message of found) {
    const line = json ? messageJson(message) : action === "show" ? messageBlock(message) : eventRow(message);
    if (!(await printLine(line))) return EXIT_CODE.ok;
  }
  const isCut = found.length >= selection.limit && selection.limit < MAX_LIMIT;
  const more = isCut ? ", or more: see --limit" : "";
  process.stderr.write(`${found.length} event${found.length === 1 ? "" : "s"} ${shownQueue}${more}\n`);
  return action === "show" && found.length === 0 ? EXIT_CODE.failed : EXIT_CODE.ok;
}

async function counts({ json }: EventsOrder, { inspection, queue }: OpenInspection): Promise<ExitCode> {
  const told = await inspection.counts(queue);
  await printLine(json ? JSON.stringify(told) : countsLine(told));
  return EXIT_CODE.ok;
}

function countsLine({ ready, delayed, inProcessing, oldestReadyMs }: QueueCounts): string {
  const known = (count: number | undefined): string => (count === undefined ? "unknown" : String(count));
  const oldest = oldestReadyMs === undefined ? "" : `  oldest=${(oldestReadyMs / 1_000).toFixed(1)}s`;
  return `ready=${ready}  delayed=${known(delayed)}  in-processing=${known(inProcessing)}${oldest}`;
}

/**
 * Where there is no store, looking at live events means to take them from their subscribers. So the question is put in a
 * way that only a store can answer: by time.
 */
function onlyByStore<Selection extends MessageSelection>(selection: Selection): Selection {
  const asksStore = [selection.states, selection.dueFrom, selection.dueBefore].some((part) => part !== undefined);
  return asksStore ? selection : { ...selection, dueFrom: BEGINNING_OF_TIME };
}

function noStore(error: MessagingError): MessagingError {
  const text =
    'needs the capability inspection "all", which a sqlite server has: this broker keeps its events to itself. ' +
    "See its own tools, fairlead events counts, and fairlead dead for what was given up";
  return new MessagingError("UNSUPPORTED", text, { cause: error });
}
