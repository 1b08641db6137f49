import assert from "node:assert";
import { call, type RequestSink } from "../../index.js";
import type { ContractContext } from "../context.js";
import { read, request } from "./steps.js";

const TRY_MS = 2_000;

/** Calls until one is answered: a call that is under way while a link is being lost may fail, the next ones do not. */
export async function answersAgain(context: ContractContext, sink: RequestSink): Promise<void> {
  const deadline = performance.now() + 10_000 + context.recoveryMs;
  for (;;) {
    const { error } = await read(context, call(sink, request("still there?"), { timeoutMs: TRY_MS }), TRY_MS);
    if (error === undefined) return;
    assert.ok(performance.now() < deadline, `no call is answered any more: ${String(error)}`);
  }
}
