import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TokenEntries } from "../../adapters/grpc/index.js";

/** A token file in a folder of its own, which is replaced as a careful editor does. */
export class TokenFile {
  readonly file: string;
  readonly #folder = mkdtempSync(join(tmpdir(), "fairlead-tokens-"));

  constructor(entries: TokenEntries) {
    this.file = join(this.#folder, "tokens.json");
    this.write(entries);
  }

  /** Text is written as it is. */
  write(entries: TokenEntries | string): void {
    const text = typeof entries === "string" ? entries : JSON.stringify(entries);
    writeFileSync(`${this.file}.new`, text, { mode: 0o600 });
    renameSync(`${this.file}.new`, this.file);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
