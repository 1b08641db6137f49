import { describe, expect, it } from "vitest";
import { SecureServer } from "../security/secure-server.js";
import { CliProcess, startServe } from "./cli-process.js";

describe("fairlead health", { timeout: 90_000 }, () => {
  const ask = async (...args: string[]): Promise<{ readonly code: number | null; readonly text: string }> => {
    await using cli = new CliProcess(["health", "--timeout", "5s", ...args]);
    const { code, stdout, stderr } = await cli.exit();
    return { code, text: `${stdout}${stderr}` };
  };

  it("prints SERVING and ends with 0 while the server serves, and with 1 when it is gone", async () => {
    await using server = await startServe();
    expect(await ask("--server", server.address)).toEqual({ code: 0, text: "SERVING\n" });
    expect(await ask("--server", server.address, "--service", "queue.QueueApi")).toMatchObject({ code: 0 });
    const unknown = await ask("--server", server.address, "--service", "no.Such");
    expect(unknown.code).toBe(1);
    expect(unknown.text).toBe(`fairlead: ${server.address} has no service "no.Such" (NOT_FOUND)\n`);
    server.cli.kill("SIGTERM");
    await server.cli.exit();
    const gone = await ask("--server", server.address);
    expect(gone.code).toBe(1);
    expect(gone.text).toContain(`is fairlead serve running at ${server.address}? (UNAVAILABLE)`);
  });

  it("ends with 1 while the server cannot reach its broker, and with 0 if it is asked only whether it is alive", async () => {
    const server = await SecureServer.start();
    try {
      // As for a server whose broker is away: it is there, and takes nothing.
      await server.messaging.close({ drainMs: 0 });
      expect(await ask("--server", server.address)).toEqual({ code: 1, text: "NOT_SERVING\n" });
      expect(await ask("--server", server.address, "--alive")).toEqual({ code: 0, text: "NOT_SERVING\n" });
      expect(await ask("--server", server.address, "--alive", "--service", "no.Such")).toMatchObject({ code: 0 });
    } finally {
      await server.close();
    }
    const gone = await ask("--server", server.address, "--alive");
    expect(gone.code).toBe(1);
    expect(gone.text).toContain(`is fairlead serve running at ${server.address}? (UNAVAILABLE)`);
  });

  it("ends with 2 for what it cannot use", async () => {
    const { code, text } = await ask("--server", "localhost");
    expect(code).toBe(2);
    expect(text).toContain("--server: must be host:port");
  });
});
