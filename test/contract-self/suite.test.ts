import { describe, expect, it } from "vitest";
import {
  type AdapterHarness,
  type ContractCase,
  contractCases,
  contractTests,
  notVerified,
  runCase,
  verifiedCases,
} from "../../src/contract/index.js";
import type { Consumer, Messaging } from "../../src/index.js";
import { brokenHarness } from "./broken-driver.js";

interface Registered {
  readonly title: string;
  readonly tests: Map<string, () => Promise<void>>;
}

/** A runner that only notes what it is given, as a stranger's would. */
function register(harness: AdapterHarness): Registered[] {
  const runs: Registered[] = [];
  let depth = 0;
  contractTests(
    {
      describe(title, define) {
        if (depth === 0) runs.push({ title, tests: new Map() });
        depth += 1;
        define();
        depth -= 1;
      },
      it: (name, run) => runs.at(-1)?.tests.set(name, run),
    },
    harness,
  );
  return runs;
}

function subject(run: ContractCase["run"]): ContractCase {
  return { id: "Q-999", sentence: "a case for this test", run };
}

describe("contractTests", () => {
  it("registers a test for each case that applies, named by id and sentence, in one run", async () => {
    const harness = brokenHarness("whole", {}, 1);
    const [run, ...others] = register({ ...harness, faults: { ...allFaults(harness), silenceLimitMs: 1_000 } });
    expect(others).toEqual([]);
    expect(run?.title).toBe("contract: whole");
    const applying = contractCases.filter(({ where }) => where?.["queue.persistent"] !== true);
    expect(run?.tests.size).toBeGreaterThan(150);
    expect(run?.tests.size).toBeLessThan(applying.length);
    const [name, test] = [...(run?.tests ?? [])].find(([title]) => title.startsWith("Q-01 ")) ?? [];
    expect(name).toMatch(/^Q-01 publish resolves once the message is stored/);
    await test?.();
  });

  it("registers no test for what the harness cannot provoke, and names it as not verified", () => {
    const { faults: _, createUnreachable: __, ...harness } = brokenHarness("poor", {}, 1);
    const open = notVerified(harness);
    expect(open.find(({ id }) => id === "Q-82")?.missing).toEqual(["dropConnections"]);
    expect(open.find(({ id }) => id === "C-08")?.missing).toEqual(["createUnreachable"]);
    const [run] = register(harness);
    expect(run?.title).toBe(`contract: poor (not verified: ${open.map(({ id }) => id).join(" ")})`);
    const ids = [...(run?.tests.keys() ?? [])].map((name) => name.split(" ")[0]);
    for (const { id } of open) expect(ids).not.toContain(id);
    const whole = brokenHarness("whole", {}, 1);
    expect(ids.length + open.length).toBe(verifiedCases(whole).length + notVerified(whole).length);
  });

  it("leaves out, as not verified, the driver's own cases and those that look at frames, when there is no driver to test", () => {
    const whole = brokenHarness("no driver", {}, 1);
    const before = new Set(notVerified(whole).map(({ id }) => id));
    const { createDriver: _, ...harness } = whole;
    const open = notVerified(harness).filter(({ id }) => !before.has(id));
    const lacks = { C: "createDriver", D: "createDriver", R: "frames", E: "createDriver" } as const;
    for (const { id, missing } of open) expect(missing, id).toContain(lacks[id.charAt(0) as keyof typeof lacks]);
    expect(open.length).toBeGreaterThan(30);
  });
});

describe("runCase", () => {
  it("closes what a failing case opened, handlers that hang included, and fails with the case's own error", async () => {
    const opened: { messaging?: Messaging; consumer?: Consumer } = {};
    const harness = brokenHarness("failing", {}, 0.2);
    const failing = subject(async (context) => {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("hung"));
      const gate = context.gate();
      opened.messaging = messaging;
      opened.consumer = await queue.consume(() => gate.wait());
      await queue.publish({ body: new Uint8Array(1) });
      await context.until(
        () => opened.consumer?.inFlight === 1,
        () => "a handler to run",
      );
      throw new Error("the case's own error");
    });
    await expect(runCase(failing, harness)).rejects.toThrow("the case's own error");
    expect(opened.consumer?.state).toBe("closed");
    expect(opened.messaging?.state).toBe("closed");
  });

  it("fails a wait that takes too long, with what was seen so far", async () => {
    const waiting = subject(async (context) => {
      const seen = context.collector<string>("letters", String);
      seen.add("a");
      seen.add("b");
      await seen.count(3);
    });
    const attempt = runCase(waiting, brokenHarness("waiting", {}, 0.01));
    await expect(attempt).rejects.toThrow("not within 50 ms: 3 letters; seen so far: 2 letters [a, b]");
  });

  it("cleans up after each case, also a failed one, and fails a case whose clean-up fails", async () => {
    let cleanups = 0;
    const harness: AdapterHarness = {
      ...brokenHarness("cleaning", {}, 1),
      async cleanup() {
        cleanups += 1;
        if (cleanups === 3) throw new Error("cannot clean up");
      },
    };
    await runCase(
      subject(async () => {}),
      harness,
    );
    await expect(
      runCase(
        subject(() => Promise.reject(new Error("failed"))),
        harness,
      ),
    ).rejects.toThrow("failed");
    await expect(
      runCase(
        subject(async () => {}),
        harness,
      ),
    ).rejects.toThrow("cannot clean up");
    expect(cleanups).toBe(3);
  });
});

function allFaults({ faults }: AdapterHarness): NonNullable<AdapterHarness["faults"]> {
  if (!faults) throw new Error("a harness without faults");
  return faults;
}
