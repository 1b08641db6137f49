import type { SecureContextOptions } from "node:tls";
import { revocationWarnings } from "./revocation-times.js";
import { certificateWarning, contextOf, type ResolvedTls, type TlsMaterial, type TlsPart } from "./server-tls.js";
import { readFileNow } from "./watched-files.js";

type PartName = keyof TlsMaterial;

/** What is of use together only. Each is taken by itself: a fault of one must not keep another from being used. */
const UNITS: readonly (readonly PartName[])[] = [["cert", "key"], ["clientCa"], ["clientCrl"]];

/** Files that belong together, as they were read. */
export interface MaterialFiles {
  readonly files: readonly string[];
  readonly contents: readonly Buffer[];
  /** In place of what is in use of them. Throws `INVALID_ARGUMENT`, and leaves that in use, when it cannot be used. */
  use(contents: readonly Buffer[]): SecureContextOptions;
  /** What is wrong with what is in use of them. */
  warnings(nowMs: number): readonly MaterialWarning[];
}

export interface MaterialWarning {
  readonly source: string;
  readonly warning: string;
}

/** What the server shows, and checks clients by, as it is in use: the last of each unit that could be used. */
export class ServerMaterial {
  readonly #tls: ResolvedTls;
  readonly #names: Readonly<Record<PartName, string>>;
  #material: TlsMaterial;
  #context: SecureContextOptions;

  /** Reads the files. Throws `INVALID_ARGUMENT` for the first that cannot be used. */
  constructor(tls: ResolvedTls) {
    this.#tls = tls;
    this.#names = {
      cert: tls.cert.file ?? "tls.cert",
      key: tls.key.file ?? "tls.key",
      clientCa: tls.clientCa?.file ?? "tls.clientCa",
      clientCrl: tls.clientCrl?.file ?? "tls.clientCrl",
    };
    this.#material = {
      cert: contentOf(tls.cert),
      key: contentOf(tls.key),
      clientCa: tls.clientCa === undefined ? undefined : contentOf(tls.clientCa),
      clientCrl: tls.clientCrl === undefined ? undefined : contentOf(tls.clientCrl),
    };
    this.#context = contextOf(this.#material, this.#names);
  }

  get context(): SecureContextOptions {
    return this.#context;
  }

  /** What is wrong with it although it can be used. */
  warnings(nowMs: number): readonly MaterialWarning[] {
    return UNITS.flatMap((unit) => this.#warnings(unit, nowMs));
  }

  /** A unit that is of no files is not among them: it does not change. */
  get units(): readonly MaterialFiles[] {
    return UNITS.flatMap((unit) => {
      const parts = unit.filter((part) => this.#tls[part]?.file !== undefined);
      if (parts.length === 0) return [];
      return {
        files: parts.map((part) => this.#names[part]),
        contents: parts.map((part) => this.#material[part] ?? Buffer.alloc(0)),
        use: (contents) => this.#use(parts, contents),
        warnings: (nowMs) => this.#warnings(unit, nowMs),
      };
    });
  }

  #use(parts: readonly PartName[], contents: readonly Buffer[]): SecureContextOptions {
    const changed = Object.fromEntries(parts.map((part, index) => [part, contents[index]]));
    const material: TlsMaterial = { ...this.#material, ...changed };
    this.#context = contextOf(material, this.#names);
    this.#material = material;
    return this.#context;
  }

  #warnings(unit: readonly PartName[], nowMs: number): readonly MaterialWarning[] {
    const { cert, clientCrl } = this.#material;
    const told: MaterialWarning[] = [];
    const warning = unit.includes("cert") ? certificateWarning(cert, nowMs) : undefined;
    if (warning !== undefined) told.push({ source: this.#names.cert, warning });
    if (unit.includes("clientCrl") && clientCrl !== undefined) {
      const source = this.#names.clientCrl;
      for (const late of revocationWarnings(clientCrl, nowMs)) told.push({ source, warning: late });
    }
    return told;
  }
}

function contentOf({ file, pem }: TlsPart): Buffer {
  return file === undefined ? (pem ?? Buffer.alloc(0)) : readFileNow(file);
}
