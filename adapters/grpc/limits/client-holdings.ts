/** Bytes that are held for each client, within a limit for each. */
export class ClientHoldings {
  readonly #maxBytes: number;
  readonly #bytes = new Map<string, number>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Room for so many more. False: there is none. To be released. */
  hold(client: string, bytes: number): boolean {
    const held = (this.#bytes.get(client) ?? 0) + bytes;
    if (held > this.#maxBytes) return false;
    this.#bytes.set(client, held);
    return true;
  }

  release(client: string, bytes: number): void {
    if (bytes === 0) return;
    const held = (this.#bytes.get(client) ?? 0) - bytes;
    if (held > 0) this.#bytes.set(client, held);
    else this.#bytes.delete(client);
  }
}
