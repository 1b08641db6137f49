import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, type Socket } from "node:net";
import { createServer } from "node:tls";
import { onTestFinished } from "vitest";
import { brokerPort } from "./broker.js";

/** Keys and certificates for tests alone, valid for a hundred years. The client's key is encrypted. */
export function pem(file: "ca.pem" | "server.pem" | "server.key" | "client.pem" | "client.key"): string {
  return readFileSync(new URL(`tls/${file}`, import.meta.url), "utf8");
}

export const CLIENT_PASSPHRASE = "fairlead-test";

/** The broker behind TLS, as `broker.fairlead.test` and 127.0.0.1; asks clients for a certificate. Resolves its port. */
export async function startTlsProxy(): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer(
    { key: pem("server.key"), cert: pem("server.pem"), ca: pem("ca.pem"), requestCert: true, rejectUnauthorized: true },
    (client) => {
      const upstream = connect({ host: "127.0.0.1", port: brokerPort });
      for (const socket of [client, upstream]) {
        sockets.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => {
          client.destroy();
          upstream.destroy();
        });
      }
      client.pipe(upstream).pipe(client);
    },
  );
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, "close");
  });
  return (server.address() as AddressInfo).port;
}
