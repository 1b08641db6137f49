import { describe, expect, it } from "vitest";
import { CallFailed, type StatusName } from "../../../src/cli/call-failed.js";
import { retryWhileUnavailable } from "../../../src/cli/retry-while-unavailable.js";

/** Fails with one after the other, then resolves with how many tries there were. */
function failing(...statuses: StatusName[]): () => Promise<number> {
  let tries = 0;
  return async () => {
    const status = statuses[tries];
    tries += 1;
    if (status !== undefined) throw new CallFailed(status, `try ${tries}`);
    return tries;
  };
}

const { signal } = new AbortController();

describe("what is tried again while the server is unavailable", () => {
  it("resolves with what came of the try that went well", async () => {
    const outcome = retryWhileUnavailable(failing("UNAVAILABLE", "UNAVAILABLE"), { timeoutMs: 60_000, signal });
    expect(await outcome).toBe(3);
  });

  it("says why the server was unavailable, also when the last try ran out of time", async () => {
    const outcome = retryWhileUnavailable(failing("UNAVAILABLE", "DEADLINE_EXCEEDED"), { timeoutMs: 60_000, signal });
    await expect(outcome).rejects.toMatchObject({ status: "UNAVAILABLE", message: "try 1" });
  });

  it("rejects at once with any other failure, and with a time that was over at the first try", async () => {
    const options = { timeoutMs: 60_000, signal };
    const refused = retryWhileUnavailable(failing("UNAVAILABLE", "PERMISSION_DENIED"), options);
    await expect(refused).rejects.toMatchObject({ status: "PERMISSION_DENIED", message: "try 2" });
    const late = retryWhileUnavailable(failing("DEADLINE_EXCEEDED"), options);
    await expect(late).rejects.toMatchObject({ status: "DEADLINE_EXCEEDED", message: "try 1" });
  });

  it("does not wait for a try that would come after its time", async () => {
    const outcome = retryWhileUnavailable(failing("UNAVAILABLE"), { timeoutMs: 1, signal });
    await expect(outcome).rejects.toMatchObject({ status: "UNAVAILABLE", message: "try 1" });
  });
});
