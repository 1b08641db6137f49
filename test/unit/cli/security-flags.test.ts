import { afterEach, describe, expect, it, vi } from "vitest";
import { exitCodeOf, failureText } from "../../../src/cli/failure.js";
import { runProgram } from "../../../src/cli/program.js";

const SECRET = "never-to-be-told-0123456789";

describe("security flags", () => {
  afterEach(() => vi.unstubAllEnvs());
  const env = { FAIRLEAD_TOKEN: SECRET };
  it.each<[readonly string[], string, Readonly<Record<string, string>>]>([
    [
      ["serve", "--broker", "memory:", "--listen", "0.0.0.0:0"],
      "0.0.0.0 can be reached by others, so it needs TLS",
      {},
    ],
    [["serve", "--broker", "memory:", "--tls-cert", "x"], "--tls-cert and --tls-key: give both or neither", {}],
    [["serve", "--broker", "memory:", "--tls-client-ca", "x"], "--tls-client-ca: needs --tls-cert and --tls-key", {}],
    [["serve", "--broker", "memory:", "--tls-client-crl", "x"], "--tls-client-crl: needs --tls-client-ca", {}],
    [
      ["serve", "--broker", "memory:", "--tokens-file", "/no/file"],
      "/no/file cannot be read: there is no such file",
      {},
    ],
    [
      ["serve", "--broker", "memory:", "--tokens-file", "x"],
      "give one of them",
      { FAIRLEAD_TOKENS: `{"a": {"token": "${SECRET}"}}` },
    ],
    [["serve", "--broker", "memory:"], "tokens.entries: is not JSON", { FAIRLEAD_TOKENS: `{"a": "${SECRET}` }],
    [["serve", "--tokens", SECRET], "unknown option '--tokens'", {}],
    [["post", "{}", "--server", "192.0.2.1:1"], "FAIRLEAD_TOKEN: the token would travel in plaintext", env],
    [["post", "{}", "--token-file", "/no/file"], "--token-file /no/file: cannot be read", {}],
    [["post", "{}", "--cert", "x"], "--cert and --key: give both or neither", {}],
    [["post", "{}", "--token", SECRET], "unknown option '--token'", {}],
    [["events", "counts", "--broker", "sqlite:x", "--tls"], "--tls: belongs to --server, not to --broker", {}],
    [["request", "x", "{}", "--broker", "amqp://h", "--ca", "x"], "--ca: belongs to --server, not to --broker", {}],
  ])("%j", async (args, text, environment) => {
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    const failure = await runProgram(args).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failureText(failure)).toContain(text);
    expect(failureText(failure)).not.toContain(SECRET);
    expect(exitCodeOf(failure)).toBe(2);
  });
});
