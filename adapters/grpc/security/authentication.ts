import type { Metadata } from "@grpc/grpc-js";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import type { CertificateNames } from "./certificate-names.js";
import { digestOf, type Grant } from "./token-entries.js";
import type { TokenList } from "./token-list.js";

/** What a caller has shown, kept so that it can be looked at again. Never the token itself. */
export type Proof = { readonly digest: Buffer } | { readonly certificate: CertificateNames };

export interface Identity {
  readonly name: string | undefined;
  /** Undefined: may do everything. */
  readonly grant: Grant | undefined;
  readonly proof: Proof | undefined;
}

const MISSING = 'there is no bearer token: send it as metadata, "authorization: Bearer …"';
const BEARER = /^bearer +([\x21-\x7e]{1,4096})$/i;

/** Finds out who calls. */
export class Authentication {
  #tokens: TokenList | undefined;
  #generation = 0;

  /** Another one after each `use`: what was found before may not hold any more. */
  get generation(): number {
    return this.#generation;
  }

  /** From now on these. Undefined: there are no entries, and whoever is let in may do everything. */
  use(tokens: TokenList | undefined): void {
    this.#tokens = tokens;
    this.#generation += 1;
  }

  /** Who it is; throws `UNAUTHENTICATED`, which says what is missing. A token that is there decides, not the certificate. */
  identify(metadata: Metadata, certificate: CertificateNames | undefined): Identity {
    const tokens = this.#tokens;
    if (tokens === undefined) return { name: certificate?.first, grant: undefined, proof: undefined };
    const values = metadata.get("authorization");
    if (values.length === 0) {
      if (certificate === undefined || !tokens.hasCertificates) throw unauthenticated(MISSING);
      return this.#known({ certificate }, "the client certificate has no entry here, and there is no bearer token");
    }
    const [, token] = values.length === 1 ? (BEARER.exec(String(values[0])) ?? []) : [];
    if (token === undefined) throw unauthenticated(`the metadata authorization is not one "Bearer" and a token`);
    return this.#known({ digest: digestOf(token) }, "the bearer token is not known here");
  }

  /** The same caller by what is known now. Throws as `identify`. */
  again({ proof }: Identity): Identity {
    if (proof === undefined) return { name: undefined, grant: undefined, proof };
    return this.#known(proof, "the credentials of this call are not known here any more");
  }

  #known(proof: Proof, otherwise: string): Identity {
    const tokens = this.#tokens;
    const grant = "digest" in proof ? tokens?.byDigest(proof.digest) : tokens?.byCertificate(proof.certificate);
    if (grant === undefined) throw unauthenticated(otherwise);
    return { name: grant.name, grant, proof };
  }
}

function unauthenticated(text: string): MessagingError {
  return new MessagingError("UNAUTHENTICATED", text);
}
