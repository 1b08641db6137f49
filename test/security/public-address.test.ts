import { afterEach, describe, expect, it } from "vitest";
import { type GrpcOptions, resolveGrpcOptions } from "../../adapters/grpc/index.js";
import { checkAddresses } from "../../adapters/grpc/security/resolve-security.js";
import { isLoopback, isLoopbackHost } from "../../src/util/loopback.js";
import { certificatePath, postOutcome, SERVER_TLS, SecureServer } from "./secure-server.js";

const TOKENS = { entries: { one: { token: "a-token-0123456789", post: "*" } } } as const;
const CLIENT_CA = { ...SERVER_TLS, clientCaFile: certificatePath("ca.pem") } as const;

/** What keeps others out, or does not. */
const PROTECTIONS: readonly [string, GrpcOptions, readonly RegExp[] | undefined][] = [
  ["nothing", {}, [/needs TLS .* and authentication/, /--insecure/]],
  ["tokens alone", { tokens: TOKENS }, [/needs TLS \(tls\.certFile and tls\.keyFile; --tls-cert, --tls-key\);/]],
  ["TLS alone", { tls: SERVER_TLS }, [/needs authentication \(tokens or tls\.clientCaFile/]],
  ["TLS and tokens", { tls: SERVER_TLS, tokens: TOKENS }, undefined],
  ["TLS and an authority of clients", { tls: CLIENT_CA }, undefined],
  ["insecure, said so", { insecure: true }, undefined],
  ["tokens, and insecure", { tokens: TOKENS, insecure: true }, undefined],
];

describe("an address that others reach", () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  it.each([
    ["127.0.0.1", true],
    ["127.255.0.7", true],
    ["::1", true],
    ["::ffff:127.0.0.1", true],
    ["0.0.0.0", false],
    ["::", false],
    ["10.0.0.1", false],
    ["128.0.0.1", false],
    ["::ffff:10.0.0.1", false],
    ["::ffff:0.0.0.0", false],
    ["::127.0.0.1", false],
    ["fe80::1", false],
    ["localhost", false],
    ["127.1", false],
    ["", false],
  ])("%s is loopback: %s", (ip, expected) => expect(isLoopback(ip)).toBe(expected));

  it.each([
    ["localhost", true],
    ["LOCALHOST", true],
    ["[::1]", true],
    ["127.0.0.2", true],
    ["localhost.example", false],
    ["127.0.0.1.example", false],
    ["[::]", false],
  ])("a client takes %s for this machine: %s", (host, expected) => expect(isLoopbackHost(host)).toBe(expected));

  describe.each(PROTECTIONS)("with %s", (_, options, refusals) => {
    it.each(["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[2001:db8::1]:0", "[::ffff:192.0.2.1]:0"])("%s", (listen) => {
      const resolve = (): unknown => resolveGrpcOptions({ ...options, listen });
      if (refusals === undefined) expect(resolve).not.toThrow();
      else for (const text of refusals) expect(resolve).toThrow(text);
    });

    it.each(["127.0.0.1:0", "[::1]:0", "127.0.0.9:0", "localhost:0"])("loopback stays allowed: %s", (listen) => {
      expect(() => resolveGrpcOptions({ ...options, listen })).not.toThrow();
    });

    it("a name counts as the most public of its addresses", () => {
      const { security } = resolveGrpcOptions({ ...options, listen: "some.test:0" });
      const check = (...addresses: string[]): void => checkAddresses({ host: "some.test", addresses }, security);
      expect(() => check("127.0.0.1", "::1")).not.toThrow();
      if (refusals === undefined) return check("127.0.0.1", "192.0.2.1");
      expect(() => check("127.0.0.1", "192.0.2.1")).toThrow(/listen some\.test, which is 192\.0\.2\.1, can be reached/);
      expect(() => check("::1", "fe80::1")).toThrow(/which is fe80::1/);
    });
  });

  it("is served where something keeps the others out, and a name by the address that was looked at", async () => {
    const everywhere = await SecureServer.start({ listen: "0.0.0.0:0", tls: SERVER_TLS, tokens: TOKENS });
    closing.push(() => everywhere.close());
    expect(everywhere.address).toMatch(/^0\.0\.0\.0:\d+$/);
    const named = await SecureServer.start({ listen: "localhost:0" });
    closing.push(() => named.close());
    expect(named.address).toMatch(/^localhost:\d+$/);
    expect(await postOutcome(named.client())).toMatchObject({ code: 0 });
  });

  it("a name that nobody knows is told at the start", async () => {
    const server = new SecureServer({ listen: "no-such-host.invalid:0" });
    closing.push(() => server.close());
    await expect(server.gateway.start()).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: "listen on no-such-host.invalid:0: there is no host of this name",
    });
  });
});
