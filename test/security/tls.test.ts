import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import {
  type ClientTls,
  createEventsClient,
  createInspectionClient,
  createSinkClient,
} from "../../adapters/grpc/index.js";
import { revocationTimes, revocationWarnings } from "../../adapters/grpc/security/revocation-times.js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import { subscribe, until } from "../adapters/grpc/rig.js";
import { certificate, certificatePath, postOutcome, SERVER_TLS, SecureServer } from "./secure-server.js";

const CA = certificate("ca.pem");
const REFUSED_MS = 5_000;

function clientTls(name: string, more: ClientTls = {}): ClientTls {
  return { ca: CA, certificate: certificate(`${name}.pem`), key: certificate(`${name}.key`), ...more };
}

describe("TLS of the gRPC server", () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  const start = async (options: Parameters<typeof SecureServer.start>[0]): Promise<SecureServer> => {
    const server = await SecureServer.start(options);
    closing.push(() => server.close());
    return server;
  };
  const folder = (): string => {
    const path = mkdtempSync(join(tmpdir(), "fairlead-tls-"));
    closing.push(() => rmSync(path, { recursive: true }));
    return path;
  };

  it("serves all of our clients, with files and with PEM texts", async () => {
    const server = await start({ tls: SERVER_TLS });
    const pem = await start({ tls: { cert: certificate("server.pem"), key: certificate("server.key") } });
    expect(await postOutcome(server.client({ tls: { ca: CA } }))).toMatchObject({ code: status.OK });
    expect(await postOutcome(pem.client({ tls: { ca: CA, serverName: "events.test" } }))).toMatchObject({
      code: status.OK,
    });
    const events = createEventsClient({ server: server.address, tls: { ca: CA } });
    closing.push(() => events.close({ drainMs: 0 }));
    await events.post({ hello: "world" });
    const inspection = createInspectionClient({ address: server.address, tls: { ca: CA } });
    closing.push(() => inspection.close());
    expect((await inspection.counts("")).ready).toBe(2);
    const sinks = createSinkClient({ address: server.address, tls: { ca: CA } });
    closing.push(() => sinks.close());
  });

  it.each([
    ["a server whose authority the client does not trust", { ca: certificate("other-ca.pem") }],
    ["a server that has another name", { ca: CA, serverName: "other.test" }],
  ])("a client refuses %s", async (_, tls) => {
    const server = await start({ tls: SERVER_TLS });
    const outcome = await postOutcome(server.client({ tls }), "a", REFUSED_MS);
    expect([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]).toContain(outcome.code);
    expect(outcome.details).toMatch(/certificate|Hostname|altname|self-signed|unable to/i);
  });

  it("a client refuses a server whose certificate is over, which the server tells at its start", async () => {
    const server = await start({
      tls: { certFile: certificatePath("server-expired.pem"), keyFile: certificatePath("server-expired.key") },
    });
    expect(server.told("credentials")).toMatchObject([{ warning: expect.stringContaining("expired") }]);
    const outcome = await postOutcome(server.client({ tls: { ca: CA } }), "a", REFUSED_MS);
    expect([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]).toContain(outcome.code);
    expect(outcome.details).toMatch(/expired/i);
  });

  it("takes clients with a certificate of its authority, and no others", async () => {
    const server = await start({ tls: { ...SERVER_TLS, clientCaFile: certificatePath("ca.pem") } });
    expect(await postOutcome(server.client({ tls: clientTls("client") }))).toMatchObject({ code: status.OK });
    const refused: Readonly<Record<string, ClientTls>> = {
      "no certificate": { ca: CA },
      "one of another authority": clientTls("other-client"),
      "one that is over": clientTls("client-expired"),
    };
    await Promise.all(
      Object.entries(refused).map(async ([what, tls]) => {
        const { code } = await postOutcome(server.client({ tls }), "a", REFUSED_MS);
        expect([status.UNAVAILABLE, status.DEADLINE_EXCEEDED], what).toContain(code);
      }),
    );
    const reasons = server.told("client-refused").map(({ reason }) => reason);
    expect(reasons).toContainEqual("TLS: the client has no certificate");
    expect(reasons).toContainEqual(expect.stringContaining("CERT_HAS_EXPIRED"));
  });

  it("refuses clients whose certificate was revoked, from the moment that the list says so, and everybody by an old list", async () => {
    const clientCrlFile = join(folder(), "revoked.crl");
    const use = (name: string): void => copyFileSync(certificatePath(`${name}.crl`), clientCrlFile);
    use("revoking-ca-none");
    const server = await start({
      tls: { ...SERVER_TLS, clientCaFile: certificatePath("revoking-ca.pem"), clientCrlFile },
    });
    const outcome = async (name: string, waitMs?: number): Promise<status | undefined> =>
      (await postOutcome(server.client({ tls: clientTls(name) }), "a", waitMs)).code;
    const reasons = (): string[] => server.told("client-refused").map(({ reason }) => reason);
    const changes = (): number =>
      server.told("credentials").filter(({ error, warning }) => (error ?? warning) === undefined).length;
    const isRefused = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED];
    expect(await Promise.all([outcome("kept-client"), outcome("revoked-client")])).toEqual([status.OK, status.OK]);

    use("revoking-ca");
    await until(() => changes() === 1);
    expect(isRefused).toContain(await outcome("revoked-client", REFUSED_MS));
    expect(reasons()).toContainEqual(expect.stringContaining("CERT_REVOKED"));
    expect(await outcome("kept-client")).toBe(status.OK);

    use("revoking-ca-old");
    await until(() => changes() === 2);
    expect(isRefused).toContain(await outcome("kept-client", REFUSED_MS));
    expect(reasons()).toContainEqual(expect.stringContaining("CRL_HAS_EXPIRED"));

    writeFileSync(clientCrlFile, "nothing");
    await until(() => server.told("credentials").some(({ error }) => error !== undefined));
    expect(server.told("credentials").at(-1)?.error?.message).toContain("holds no revocation list in PEM");
  });

  it("enforces a new revocation list beside a certificate without its key, and takes a new certificate beside a bad list", async () => {
    const path = folder();
    const [certFile, keyFile, clientCrlFile] = [
      join(path, "cert.pem"),
      join(path, "key.pem"),
      join(path, "revoked.crl"),
    ];
    const use = (name: string, file: string): void => copyFileSync(certificatePath(name), file);
    use("server.pem", certFile);
    use("server.key", keyFile);
    use("revoking-ca-none.crl", clientCrlFile);
    const server = await start({
      tls: { certFile, keyFile, clientCaFile: certificatePath("revoking-ca.pem"), clientCrlFile },
    });
    const faults = (source: string): readonly string[] =>
      server.told("credentials").flatMap((told) => (told.source === source && told.error ? [told.error.message] : []));
    const taken = (source: string): boolean =>
      server.told("credentials").some((told) => told.source === source && (told.error ?? told.warning) === undefined);
    const pair = `${certFile}, ${keyFile}`;
    const outcome = async (name: string, waitMs?: number): Promise<status | undefined> =>
      (await postOutcome(server.client({ tls: clientTls(name) }), "a", waitMs)).code;
    expect(await outcome("revoked-client")).toBe(status.OK);

    use("server-2.pem", certFile);
    await until(() => faults(pair).length === 1);
    expect(faults(pair)).toEqual([`${keyFile} is not the key of ${certFile}`]);
    use("revoking-ca.crl", clientCrlFile);
    await until(() => taken(clientCrlFile));
    expect([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]).toContain(await outcome("revoked-client", REFUSED_MS));
    expect(await outcome("kept-client")).toBe(status.OK);

    writeFileSync(clientCrlFile, "");
    await until(() => faults(clientCrlFile).length === 1);
    use("server-2.key", keyFile);
    await until(() => taken(pair));
    const port = Number(server.address.split(":").at(-1));
    const name = await new Promise((resolve, reject) => {
      const { ca, certificate: cert, key } = clientTls("kept-client");
      const own = { ca: String(ca), cert: String(cert), key: String(key) };
      const options = { ...own, port, host: "127.0.0.1", servername: "events.test", ALPNProtocols: ["h2"] };
      const socket = connect(options, () => {
        resolve(socket.getPeerCertificate().subject.CN);
        socket.destroy();
      });
      socket.once("error", reject);
    });
    expect(name).toBe("server-2");
    expect([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]).toContain(await outcome("revoked-client", REFUSED_MS));
  });

  it("tells at its start of a revocation list that is out of date, and not of one that is in its time", async () => {
    const tls = { ...SERVER_TLS, clientCaFile: certificatePath("revoking-ca.pem") };
    const late = certificatePath("revoking-ca-old.crl");
    const server = await start({ tls: { ...tls, clientCrlFile: late } });
    const warning = "the revocation list ran out on 2020-02-01T00:00:00.000Z: the clients of its authority are refused";
    expect(server.told("credentials")).toContainEqual({ type: "credentials", source: late, warning });
    const good = await start({ tls: { ...tls, clientCrlFile: certificatePath("revoking-ca.crl") } });
    expect(good.told("credentials").filter(({ source }) => source.endsWith(".crl"))).toEqual([]);
  });

  it.each([
    ["2020-01-30T00:00:00Z", "runs out on 2020-02-01"],
    ["2020-01-10T00:00:00Z", undefined],
    ["2019-12-31T00:00:00Z", "is valid from 2020-01-01"],
  ])("a revocation list of January 2020 on %s: %s", (now, text) => {
    const lists = Buffer.from(certificate("revoking-ca-old.crl"));
    const warnings = revocationWarnings(lists, Date.parse(now));
    expect(warnings).toEqual(text === undefined ? [] : [expect.stringContaining(text)]);
    const twice = revocationWarnings(Buffer.concat([lists, lists]), Date.parse(now));
    expect(twice).toEqual(text === undefined ? [] : [1, 2].map((one) => expect.stringContaining(`list ${one} of 2 `)));
  });

  it("no damage to a revocation list makes the reading of its times fail", () => {
    const der = Buffer.from(certificate("revoking-ca-old.crl").replaceAll(/-----[^-]+-----/g, ""), "base64");
    expect(revocationTimes(der)?.nextUpdate).toBe(Date.parse("2020-02-01T00:00:00Z"));
    for (let at = 0; at < der.length; at += 1) {
      revocationTimes(der.subarray(0, at));
      for (const byte of [0x00, 0x80, 0x84, 0xff]) {
        const damaged = Buffer.from(der);
        damaged[at] = byte;
        revocationTimes(damaged);
      }
    }
  });

  it("plaintext against TLS and TLS against plaintext fail soon", async () => {
    const secure = await start({ tls: SERVER_TLS });
    const plain = await start({});
    const outcomes = await Promise.all([
      postOutcome(secure.client(), "a", REFUSED_MS),
      postOutcome(plain.client({ tls: { ca: CA } }), "a", REFUSED_MS),
    ]);
    for (const { code } of outcomes) expect([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]).toContain(code);
    expect(await postOutcome(plain.client())).toMatchObject({ code: status.OK });
    expect(await postOutcome(secure.client({ tls: { ca: CA } }))).toMatchObject({ code: status.OK });
  });

  it("does not speak TLS 1.1, nor HTTP/1.1", async () => {
    const server = await start({ tls: SERVER_TLS });
    const port = Number(server.address.split(":").at(-1));
    const attempt = (options: object): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect({ port, host: "127.0.0.1", ca: CA, servername: "events.test", ...options });
        socket.once("secureConnect", () => {
          resolve("connected");
          socket.destroy();
        });
        socket.once("error", (error) => resolve(String("code" in error ? error.code : error.message)));
      });
    expect(await attempt({ ALPNProtocols: ["h2"] })).toBe("connected");
    expect(await attempt({ maxVersion: "TLSv1.1", minVersion: "TLSv1" })).not.toBe("connected");
    expect(await attempt({ ALPNProtocols: ["http/1.1"] })).not.toBe("connected");
  });

  it("takes a new certificate without a cut; a bad one is told, and the former stays", async () => {
    const path = folder();
    const [certFile, keyFile] = [join(path, "cert.pem"), join(path, "key.pem")];
    const use = (name: string): void => {
      copyFileSync(certificatePath(`${name}.pem`), certFile);
      copyFileSync(certificatePath(`${name}.key`), keyFile);
    };
    use("server");
    const server = await start({ tls: { certFile, keyFile } });
    const port = Number(server.address.split(":").at(-1));
    const served = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const options = { port, host: "127.0.0.1", ca: CA, servername: "events.test", ALPNProtocols: ["h2"] };
        const socket = connect(options, () => {
          resolve(String(socket.getPeerCertificate().subject.CN));
          socket.destroy();
        });
        socket.once("error", reject);
      });
    const client = server.client({ tls: { ca: CA } });
    const reader = await subscribe(client, "reader");
    expect(await served()).toBe("server");

    const told = (text: string): boolean =>
      server.told("credentials").some(({ error }) => error?.message.includes(text) === true);
    use("server-2");
    // Two files are two changes: the first without the second may be told as an error.
    await until(() => server.told("credentials").some(({ error, warning }) => (error ?? warning) === undefined));
    expect(await served()).toBe("server-2");

    writeFileSync(keyFile, certificate("server.key"));
    await until(() => told(`${keyFile} is not the key of ${certFile}`));
    rmSync(certFile);
    await until(() => told("there is no such file"));
    expect(await served()).toBe("server-2");

    expect(await postOutcome(client)).toMatchObject({ code: status.OK });
    await until(() => reader.received.length === 1);
    expect(reader.outcome).toBeUndefined();
  });

  it("says at the start, in one error, what is wrong with its files", () => {
    const path = folder();
    const empty = join(path, "empty.pem");
    writeFileSync(empty, "nothing");
    const attempt = (options: Parameters<typeof SecureServer.start>[0]): unknown => {
      try {
        return new SecureServer(options);
      } catch (error) {
        return error;
      }
    };
    const cases: readonly [object, RegExp][] = [
      [
        { certFile: "/nowhere/cert.pem", keyFile: SERVER_TLS.keyFile },
        /\/nowhere\/cert\.pem cannot be read: there is no such file/,
      ],
      [{ certFile: path, keyFile: SERVER_TLS.keyFile }, /cannot be read: it is a directory/],
      [{ certFile: empty, keyFile: SERVER_TLS.keyFile }, /empty\.pem holds no certificate in PEM/],
      [{ certFile: SERVER_TLS.certFile, keyFile: empty }, /empty\.pem holds no private key in PEM/],
      [{ ...SERVER_TLS, keyFile: certificatePath("server-2.key") }, /server-2\.key is not the key of .*server\.pem/],
      [{ ...SERVER_TLS, clientCaFile: empty }, /empty\.pem holds no certificate in PEM/],
      [
        { ...SERVER_TLS, clientCaFile: certificatePath("ca.pem"), clientCrlFile: empty },
        /empty\.pem holds no revocation list in PEM/,
      ],
      [{ ...SERVER_TLS, clientCrl: "x" }, /tls\.clientCrlFile \(or tls\.clientCrl\) needs tls\.clientCaFile/],
      [{ certFile: SERVER_TLS.certFile }, /tls\.keyFile \(or tls\.key\) is missing/],
      [{ ...SERVER_TLS, cert: "x" }, /tls\.cert and tls\.certFile: give one of them/],
      [{ ...SERVER_TLS, pfx: "x" }, /unknown tls option pfx/],
    ];
    for (const [tls, text] of cases) {
      const error = attempt({ tls });
      expect(MessagingError.is(error, "INVALID_ARGUMENT"), String(text)).toBe(true);
      expect(String(error)).toMatch(text);
      expect(String(error)).not.toMatch(/BEGIN|MII/);
    }
  });

  it("a client does not wait without end for a server that accepts and says nothing", async () => {
    const silent = createServer(() => {});
    closing.push(() => silent.close());
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const bound = silent.address();
    const port = typeof bound === "object" && bound !== null ? bound.port : 0;
    const events = createEventsClient({ server: `127.0.0.1:${port}`, tls: { ca: CA }, postTimeoutMs: 500 });
    closing.push(() => events.close({ drainMs: 0 }));
    await expect(events.post({})).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });
});
