export type ServingStatus = "SERVING" | "NOT_SERVING";

/** The end of a stream to a client: `done` is called once the word is on its way. */
interface Listener {
  write(reply: { readonly status: ServingStatus }, done: () => void): unknown;
}

/** One that watches, and what it was told last. */
export class HealthWatch {
  readonly #listener: Listener;
  #told: ServingStatus | undefined;
  #isWriting = false;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  /** If it is news. One that does not read has one word on its way, however often the status changes meanwhile. */
  tell(status: ServingStatus): void {
    if (this.#isWriting || this.#told === status) return;
    this.#told = status;
    this.#isWriting = true;
    this.#listener.write({ status }, () => {
      this.#isWriting = false;
    });
  }
}
