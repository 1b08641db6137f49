import { createServer, type Server } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  checkHealth,
  createEventsClient,
  createInspectionClient,
  createQueueApiClient,
  createSinkClient,
} from "../../adapters/grpc/index.js";
import { callOne } from "../../src/index.js";
import { certificate, postOutcome, SERVER_TLS, SecureServer } from "./secure-server.js";

const TOKEN = "first-token-0123456789";

/** What stands between this machine and others has no business with what stays on it, least of all with a token. */
describe("clients behind an HTTP proxy", () => {
  let proxy: Server;
  let asked = 0;
  let server: SecureServer;
  beforeEach(async () => {
    asked = 0;
    proxy = createServer((socket) => {
      asked += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const bound = proxy.address();
    const url = `http://127.0.0.1:${typeof bound === "object" && bound !== null ? bound.port : 0}`;
    for (const name of ["http_proxy", "https_proxy", "grpc_proxy"]) vi.stubEnv(name, url);
    for (const name of ["no_proxy", "no_grpc_proxy"]) vi.stubEnv(name, "");
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await server.close();
    await new Promise((resolve) => proxy.close(resolve));
  });

  it.each([
    ["in plaintext, with a token", {}, { token: TOKEN }],
    ["over TLS", { tls: SERVER_TLS }, { token: TOKEN, tls: { ca: certificate("ca.pem") } }],
  ])("reach a server on this machine without it, %s", async (_, options, security) => {
    server = await SecureServer.start({
      ...options,
      tokens: { entries: { one: { token: TOKEN, post: "*", admin: "*" } } },
    });
    const { address } = server;
    const client = createQueueApiClient(address, security);
    expect(await postOutcome(client)).toMatchObject({ code: 0 });
    client.close();
    const events = createEventsClient({ server: address, ...security });
    await events.post({});
    await events.close();
    const inspection = createInspectionClient({ address, ...security });
    expect((await inspection.counts("")).ready).toBe(2);
    inspection.close();
    expect(await checkHealth({ address, ...security })).toBe("SERVING");
    const sinks = createSinkClient({ address, ...security });
    const call = callOne(sinks.requestSink("none"), { body: new Uint8Array() }, { timeoutMs: 20_000 });
    await expect(call).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await sinks.close();
    expect(asked).toBe(0);
  });
});
