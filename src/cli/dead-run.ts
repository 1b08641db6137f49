import { MessagingError } from "../errors/messaging-error.js";
import { EXIT_CODE, type ExitCode } from "./exit-code.js";
import { deadLine, messageBlock, messageJson } from "./message-text.js";
import { type OpenInspection, openInspection, operatorFailure } from "./open-inspection.js";
import { MAX_LIMIT, type OperatorOrder, tellLimit } from "./operator-flags.js";
import { printLine } from "./print-line.js";
import { onStopSignal } from "./stop-signal.js";

export type DeadOrder = OperatorOrder &
  (
    | { readonly action: "list" | "show" | "purge" }
    | { readonly action: "replay"; readonly to: string | undefined; readonly ratePerSecond: number | undefined }
  );

/** Looks at dead letters, brings them back or removes them, and tells their number. */
export async function runDead(order: DeadOrder): Promise<ExitCode> {
  const stop = onStopSignal();
  const open = await openInspection(order, { dead: true });
  try {
    switch (order.action) {
      case "list":
      case "show":
        return await show(order, open, stop.signal);
      case "replay":
        return await replay(order, open, stop.signal);
      case "purge": {
        const removed = await open.inspection.remove(open.queue, { ...order.selection, signal: stop.signal });
        await printLine(`${removed} removed`);
        tellLimit(removed, order.selection.limit, "removed");
        return EXIT_CODE.ok;
      }
    }
  } catch (error) {
    if (stop.signal.aborted) throw new Error(`dead ${order.action}: stopped by a signal; it can be repeated`);
    throw operatorFailure(error, `dead ${order.action}`, order.over, open.place);
  } finally {
    await open.close();
    stop.dispose();
  }
}

async function show(
  order: DeadOrder,
  { inspection, queue, shownQueue }: OpenInspection,
  signal: AbortSignal,
): Promise<ExitCode> {
  const { selection, json, action } = order;
  const found = await inspection.browse(queue, { ...selection, signal });
  for (const message of found) {
    const line = json ? messageJson(message) : action === "show" ? messageBlock(message) : deadLine(message);
    if (!(await printLine(line))) return EXIT_CODE.ok;
  }
  const isCut = found.length >= selection.limit && selection.limit < MAX_LIMIT;
  const more = isCut ? ", or more: see --limit" : "";
  process.stderr.write(`${found.length} dead letter${found.length === 1 ? "" : "s"} ${shownQueue}${more}\n`);
  const isMissing = action === "show" && found.length === 0;
  return isMissing ? EXIT_CODE.failed : EXIT_CODE.ok;
}

async function replay(
  order: DeadOrder & { readonly action: "replay" },
  { inspection, queue }: OpenInspection,
  signal: AbortSignal,
): Promise<ExitCode> {
  const { selection, to, ratePerSecond } = order;
  let moved = 0;
  const onMoved = (sofar: number): void => {
    moved = sofar;
  };
  try {
    moved = await inspection.replay(queue, { ...selection, to, ratePerSecond, onMoved, signal });
  } catch (error) {
    await printLine(`${moved} replayed`);
    // Bad input means that nothing was done; here some of it was.
    if (moved > 0 && MessagingError.is(error, "INVALID_ARGUMENT")) throw new Error(error.message, { cause: error });
    throw error;
  }
  await printLine(`${moved} replayed`);
  tellLimit(moved, selection.limit, "replayed");
  return EXIT_CODE.ok;
}
