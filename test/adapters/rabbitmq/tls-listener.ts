import { readFileSync } from "node:fs";
import { onTestFinished } from "vitest";
import { freePorts } from "../../../tools/process/free-ports.js";
import { brokerNode } from "./broker.js";

type PemFile =
  | "ca.pem"
  | "client.key"
  | "client.pem"
  | "expired.pem"
  | "server.key"
  | "server.pem"
  | "stranger.key"
  | "stranger.pem";

/** Keys and certificates for tests alone; tls/README.md says what they are. */
export function pem(file: PemFile): string {
  return readFileSync(new URL(`tls/${file}`, import.meta.url), "utf8");
}

export const CLIENT_PASSPHRASE = "fairlead-test";

export interface TlsListenerOptions {
  readonly certificate?: "server.pem" | "expired.pem" | undefined;
  /** Clients must show a certificate of the authority. Default true. */
  readonly asksForCertificate?: boolean | undefined;
}

/** Has the broker listen for TLS too, as `broker.fairlead.test` and 127.0.0.1, until the test ends. Resolves with the port. */
export async function startTlsListener(options: TlsListenerOptions = {}): Promise<number> {
  const { certificate = "server.pem", asksForCertificate = true } = options;
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error("no free port");
  const verify = asksForCertificate ? "{verify, verify_peer}, {fail_if_no_peer_cert, true}" : "{verify, verify_none}";
  // The files' contents, not their names: the broker may run in a container.
  await brokerNode().control(
    "eval",
    `Der = fun(Pem) -> [{Type, D, _} | _] = public_key:pem_decode(Pem), {Type, D} end,
     {_, Ca} = Der(${binary(pem("ca.pem"))}), {_, Cert} = Der(${binary(pem(certificate))}),
     Key = Der(${binary(pem("server.key"))}),
     rabbit_networking:ensure_ssl(),
     rabbit_networking:start_ssl_listener({"127.0.0.1", ${port}, inet},
       [{cacerts, [Ca]}, {cert, Cert}, {key, Key}, ${verify}], 2).`,
  );
  onTestFinished(async () => {
    await brokerNode().control(
      "eval",
      `[begin supervisor:terminate_child(rabbit_sup, Id), supervisor:delete_child(rabbit_sup, Id) end
        || {Id, _, _, _} <- supervisor:which_children(rabbit_sup),
           string:find(io_lib:format("~p", [Id]), ":${port}") =/= nomatch].`,
    );
  });
  return port;
}

function binary(text: string): string {
  return `<<${[...Buffer.from(text, "utf8")].join(",")}>>`;
}
