import { existsSync, readdirSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { findRecordedBroker } from "../../tools/broker/broker-record.js";
import { type ChildProgram, startProgram } from "../../tools/process/child-program.js";
import { notedProcesses } from "../../tools/process/process-guard.js";
import { isAlive } from "../../tools/process/process-identity.js";
import { waitUntil } from "../../tools/process/wait-until.js";

const READY = /^(?<url>amqp:\/\/127\.0\.0\.1:\d+) pid=(?<pid>\d+)$/;

describe("npm run broker", () => {
  let program: ChildProgram | undefined;
  const start = (...flags: string[]): ChildProgram => {
    program = startProgram("dist/tools/broker/main.js", flags);
    return program;
  };
  afterEach(async () => {
    await program?.end();
  });

  it("prints URL and pid, can be found by URL, and restarts a node that died", async () => {
    const broker = start();
    const { url = "", pid } = (await broker.line(READY, 60_000)).groups ?? {};
    const node = findRecordedBroker(url);
    expect(node?.pid).toBe(Number(pid));

    await node?.kill();
    const again = await broker.line(new RegExp(`^${url} pid=(?!${pid}$)(?<pid>\\d+)$`), 60_000);
    expect(node?.pid).toBe(Number(again.groups?.pid));

    const processes = notedProcesses(node?.directory ?? "");
    expect(await broker.end(20_000)).toEqual({ exitCode: 0, signal: undefined });
    expect(processes.filter(isAlive)).toEqual([]);
    expect(existsSync(node?.directory ?? "/")).toBe(false);
    expect(findRecordedBroker(url)).toBeUndefined();
  });

  it("takes its node along when it is killed itself", async () => {
    const broker = start();
    const { url = "" } = (await broker.line(READY, 60_000)).groups ?? {};
    const directory = findRecordedBroker(url)?.directory ?? "/";
    const processes = notedProcesses(directory);
    expect(processes.length).toBeGreaterThanOrEqual(2);
    await broker.kill();
    await waitUntil(() => !processes.some(isAlive) && !existsSync(directory), {
      what: () => `node and directory to be gone (${processes.filter(isAlive).length} left, ${readdirSync(directory)})`,
      timeoutMs: 10_000,
    });
    expect(findRecordedBroker(url)).toBeUndefined();
  });

  it("says in one line what it does not know", async () => {
    const broker = start("--port", "5672");
    expect((await broker.ended).exitCode).toBe(2);
    expect(broker.lines).toEqual(["npm run broker: unknown option '--port'"]);
  });

  it("knows of no node at other URLs", () => {
    for (const url of ["amqp://127.0.0.1:1", "amqp://example.org:5672", "memory:", "nonsense"]) {
      expect(findRecordedBroker(url)).toBeUndefined();
    }
  });
});
