import { timingSafeEqual } from "node:crypto";
import type { CertificateNames } from "./certificate-names.js";
import { digestOf, type Entry, type Grant } from "./token-entries.js";

/** All entries of one reading. */
export class TokenList {
  readonly #tokens = new Map<string, { readonly digest: Buffer; readonly grant: Grant }>();
  /** With their places in the list. */
  readonly #certificates = new Map<string, { readonly place: number; readonly grant: Grant }>();

  constructor(entries: readonly Entry[]) {
    for (const [place, { grant, digests, certificates }] of entries.entries()) {
      for (const digest of digests) this.#tokens.set(keyOf(digest), { digest, grant });
      for (const name of certificates) {
        if (!this.#certificates.has(name)) this.#certificates.set(name, { place, grant });
      }
    }
  }

  /** Some entry goes by certificate. */
  get hasCertificates(): boolean {
    return this.#certificates.size > 0;
  }

  byToken(token: string): Grant | undefined {
    return this.byDigest(digestOf(token));
  }

  /**
   * However many tokens there are, it takes as long as for one. What its time may tell is about SHA-256 digests: how much of
   * that of a wrong token is like that of a right one. Nobody can work towards a digest from there, nor back from it to a
   * token, so that helps nobody to a right token. Whole digests are compared in a time that tells nothing.
   */
  byDigest(digest: Buffer): Grant | undefined {
    const found = this.#tokens.get(keyOf(digest));
    return found !== undefined && timingSafeEqual(found.digest, digest) ? found.grant : undefined;
  }

  /** The first entry of the list that one of the names has. */
  byCertificate({ all }: CertificateNames): Grant | undefined {
    let first: { readonly place: number; readonly grant: Grant } | undefined;
    for (const name of all) {
      const found = this.#certificates.get(name);
      if (found !== undefined && (first === undefined || found.place < first.place)) first = found;
    }
    return first?.grant;
  }
}

function keyOf(digest: Buffer): string {
  return digest.toString("latin1");
}
