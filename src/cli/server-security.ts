import type { GrpcSecurityOptions, TokenEntries } from "../../adapters/grpc/index.js";
import { BadInput } from "./failure.js";
import type { ServeSettings } from "./serve-schema.js";

/** What the settings say of who may connect, and do what. What the files hold is looked at by the adapter. */
export function serverSecurity(settings: ServeSettings): GrpcSecurityOptions {
  const { tlsCert, tlsKey, tlsClientCa, tlsClientCrl, tokensFile, tokens, insecure } = settings;
  const faults: string[] = [];
  if ((tlsCert === undefined) !== (tlsKey === undefined)) faults.push("--tls-cert and --tls-key: give both or neither");
  if (tlsClientCa !== undefined && tlsCert === undefined)
    faults.push("--tls-client-ca: needs --tls-cert and --tls-key");
  if (tlsClientCrl !== undefined && tlsClientCa === undefined) faults.push("--tls-client-crl: needs --tls-client-ca");
  if (tokensFile !== undefined && tokens !== undefined) {
    faults.push("--tokens-file and FAIRLEAD_TOKENS (or tokens in the file of --config): give one of them");
  }
  if (faults.length > 0) throw new BadInput(faults.join("; "));
  return {
    insecure,
    tls:
      tlsCert === undefined
        ? undefined
        : { certFile: tlsCert, keyFile: tlsKey, clientCaFile: tlsClientCa, clientCrlFile: tlsClientCrl },
    tokens: tokensOf(settings),
  };
}

function tokensOf({ tokensFile, tokens }: ServeSettings): GrpcSecurityOptions["tokens"] {
  if (tokensFile !== undefined) return { file: tokensFile };
  // Each entry is checked where its meaning is known.
  return tokens === undefined ? undefined : { entries: tokens as TokenEntries | string };
}
