import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { certificatePath } from "../security/secure-server.js";
import { type CliResult, runCli, type ServeProcess, startServe } from "./cli-process.js";

const TOKEN = "token-of-the-test-0123456789";
const SECRET = "never-to-be-told-0123456789";
const CA = ["--ca", certificatePath("ca.pem")];
const SERVER_TLS = ["--tls-cert", certificatePath("server.pem"), "--tls-key", certificatePath("server.key")];

describe("fairlead serve and its clients, secured", { timeout: 60_000 }, () => {
  let folder = "";
  let tokenFile = "";
  let server: ServeProcess;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "fairlead-cli-security-"));
    tokenFile = join(folder, "token");
    writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
    const tokensFile = join(folder, "tokens.json");
    const entry = { token: TOKEN, post: "*", subscribe: "fairlead-*", admin: "*" };
    writeFileSync(tokensFile, JSON.stringify({ tester: entry }), { mode: 0o600 });
    server = await startServe([
      "--broker",
      "memory:",
      "--listen",
      "127.0.0.1:0",
      ...SERVER_TLS,
      "--tokens-file",
      tokensFile,
    ]);
  }, 60_000);
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> =>
    runCli([...args, "--server", server.address], { env });

  it("post, subscribe, events and dead reach it with a token from a file or the environment", async () => {
    const withFile = [...CA, "--token-file", tokenFile];
    expect(await run(["post", "{}", ...withFile])).toMatchObject({ code: 0, stdout: "1 posted\n", stderr: "" });
    const env = { FAIRLEAD_TOKEN: TOKEN };
    expect(await run(["events", "counts", ...CA], env)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^ready=1 /),
    });
    expect(await run(["subscribe", "--count", "1", ...CA], env)).toMatchObject({ code: 0 });
    expect(await run(["dead", "list", ...withFile])).toMatchObject({
      code: 0,
      stderr: "0 dead letters of this server\n",
    });
  });

  it("who has no token, another one, or no right is told so in one line", async () => {
    const [none, other, wrongClient, request] = await Promise.all([
      run(["post", "{}", ...CA]),
      run(["post", "{}", ...CA], { FAIRLEAD_TOKEN: SECRET }),
      run(["subscribe", "--client", "x", ...CA], { FAIRLEAD_TOKEN: TOKEN }),
      run(["request", "rows", "{}", ...CA], { FAIRLEAD_TOKEN: TOKEN }),
    ]);
    expect(none).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/there is no bearer token.*see --token-file \(UNAUTHENTICATED\)\n$/),
    });
    expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining("the bearer token is not known here") });
    expect(other.stderr).not.toContain(SECRET);
    expect(wrongClient.stderr).toContain('"tester" does not have the right subscribe for the client_id "x"');
    expect(request.stderr).toContain('"tester" does not have the right request');
    await server.cli.until("refusals", () => server.cli.stderr.includes("client refused client=tester"));
    expect(server.cli.stderr).not.toContain(SECRET);
    expect(server.cli.stderr).not.toContain(TOKEN);
  });

  it("does not know whom it speaks to without an authority that it trusts", async () => {
    const outcome = await run(["post", "{}", "--tls", "--timeout", "5s"], { FAIRLEAD_TOKEN: TOKEN });
    expect(outcome).toMatchObject({ code: 1, stderr: expect.stringMatching(/certificate|issuer|self-signed/i) });
  });
});
