import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { resolveRabbitmqOptions } from "../../../adapters/rabbitmq/index.js";
import { brokerUrl } from "./broker.js";
import { connectError } from "./connect-error.js";
import { bodyOf, connectDriver, take, testQueue, wire } from "./rig.js";
import { CLIENT_PASSPHRASE, pem, startTlsListener } from "./tls-listener.js";

const own = { cert: pem("client.pem"), key: pem("client.key"), passphrase: CLIENT_PASSPHRASE };
const whole = { ...own, ca: pem("ca.pem") };

describe("rabbitmq TLS", () => {
  it("speaks it with a certificate and an encrypted key of its own, to a host and to a name", async () => {
    const url = `amqps://127.0.0.1:${await startTlsListener()}`;
    for (const serverName of [undefined, "broker.fairlead.test"]) {
      const { connection } = await connectDriver({ url, tls: { ...whole, serverName } });
      const queue = testQueue("tls");
      await connection.publish({ kind: "queue", queue }, wire("one"));
      expect(bodyOf(await (await take(connection, queue)).at(0))).toBe("one");
    }
  });

  it("refuses a broker that it cannot trust, and one that refuses it, each with what to do", async () => {
    const url = `amqps://127.0.0.1:${await startTlsListener()}`;
    const untrusted = await connectError({ url, tls: own });
    expect([untrusted.code, untrusted.retryable]).toEqual(["UNAUTHENTICATED", false]);
    expect(untrusted.message).toMatch(/certificate is of no authority that is trusted here: give .* tls\.ca/);
    const misnamed = await connectError({ url, tls: { ...whole, serverName: "other.fairlead.test" } });
    expect([misnamed.code, misnamed.retryable]).toEqual(["UNAUTHENTICATED", false]);
    expect(misnamed.message).toMatch(/bears another name.*broker\.fairlead\.test.*tls\.serverName/);
    const anonymous = await connectError({ url, tls: { ca: pem("ca.pem") } });
    expect([anonymous.code, anonymous.retryable]).toEqual(["UNAUTHENTICATED", false]);
    expect(anonymous.message).toMatch(/wants a certificate of the client's own: give tls\.cert and tls\.key/);
    const stranger = { ca: pem("ca.pem"), cert: pem("stranger.pem"), key: pem("stranger.key") };
    const strange = await connectError({ url, tls: stranger });
    expect([strange.code, strange.retryable]).toEqual(["UNAUTHENTICATED", false]);
    expect(strange.message).toMatch(/does not trust the client's certificate/);
  });

  it("refuses an expired certificate", async () => {
    const port = await startTlsListener({ certificate: "expired.pem", asksForCertificate: false });
    const error = await connectError({ url: `amqps://127.0.0.1:${port}`, tls: { ca: pem("ca.pem") } });
    expect([error.code, error.retryable]).toEqual(["UNAUTHENTICATED", false]);
    expect(error.message).toContain("certificate has expired: it must be renewed there");
  });

  it("needs no certificate of its own where the broker asks for none, and says it where no TLS is spoken", async () => {
    const port = await startTlsListener({ asksForCertificate: false });
    await connectDriver({ url: `amqps://127.0.0.1:${port}`, tls: { ca: pem("ca.pem") } });
    const plain = await connectError({ url: brokerUrl.replace("amqp:", "amqps:") });
    expect([plain.code, plain.message.includes("use amqp:")]).toEqual(["INVALID_ARGUMENT", true]);
    const reverse = await connectError({ url: `amqp://127.0.0.1:${port}`, connectTimeoutMs: 2_000 });
    expect(reverse.message).toMatch(/cut the connection|closed the connection at once: .* amqps:/);
  });

  it.each([
    [{ ca: "broker-ca.pem" }, "tls.ca is no certificate in PEM"],
    [{ ...own, passphrase: undefined }, "tls.key is encrypted: give its tls.passphrase"],
    [{ ...own, passphrase: "secret-word" }, "tls.key cannot be decrypted"],
    [{ ...own, key: "-----BEGIN KEY-----\nsecret-word\n-----END KEY-----" }, "tls.key is no private key in PEM"],
    [{ ...own, key: pem("server.key") }, "tls.key is not the key of tls.cert"],
    [{ ...own, cert: "secret-word" }, "tls.cert is no certificate in PEM"],
    [{ ca: new X509Certificate(pem("ca.pem")).raw }, "tls.ca is no certificate in PEM"],
    [{ ...own, cert: new X509Certificate(pem("client.pem")).raw }, "tls.cert is no certificate in PEM"],
    [{ ...own, cert: `${pem("client.pem")}${pem("ca.pem").slice(0, 200)}` }, "tls: Node takes no such certificates"],
    [{ ca: pem("ca.pem"), passphrase: "secret-word" }, "tls.passphrase is for tls.key"],
    [{ ca: pem("ca.pem"), serverName: "" }, "tls.serverName must not be empty"],
  ])("refuses faulty keys and certificates when it is made, and quotes nothing of them %#", (tls, fault) => {
    const resolve = () => resolveRabbitmqOptions({ url: "amqps://broker", tls });
    expect(resolve).toThrow(fault);
    expect(resolve).not.toThrow(/secret-word|BEGIN/);
  });
});
