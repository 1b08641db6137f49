import { ClientHoldings } from "./limits/client-holdings.js";

/** What all streams of posts together may have on their way to the broker. Others post too, and the service refuses more. */
const MAX_POSTS = 6_000;
const MAX_BYTES = 134_217_728;
/** What streams may have sent that waits for room. Further events are refused. */
const MAX_WAITING_BYTES = 134_217_728;
/** Of those, what one client may have, so that others find room. */
const MAX_CLIENT_BYTES = MAX_WAITING_BYTES / 2;

/** The room that the streams of posts share. Who finds none is called in turn. */
export class PostRoom {
  readonly #waiting = new Set<() => void>();
  #posts = 0;
  #bytes = 0;
  #waitingBytes = 0;
  readonly #clients = new ClientHoldings(MAX_CLIENT_BYTES);
  #onIdle: () => void = () => {};

  /** Whether there is room for another event, however large: a large one would otherwise wait for ever. */
  get isFull(): boolean {
    return this.#posts >= MAX_POSTS || this.#bytes >= MAX_BYTES;
  }

  /** Takes room for one event. */
  enter(bytes: number): void {
    this.#posts += 1;
    this.#bytes += bytes;
  }

  leave(bytes: number): void {
    this.#posts -= 1;
    this.#bytes -= bytes;
    if (this.#posts === 0) this.#onIdle();
    // Who has no use for the room by now leaves it to the next one.
    for (const onRoom of this.#waiting) {
      if (this.isFull) return;
      this.#waiting.delete(onRoom);
      onRoom();
    }
  }

  /** Calls back once when there is room. */
  wait(onRoom: () => void): void {
    this.#waiting.add(onRoom);
  }

  stopWaiting(onRoom: () => void): void {
    this.#waiting.delete(onRoom);
  }

  /** Resolves when nothing is on its way. */
  idle(): Promise<void> {
    if (this.#posts === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Whether what came with one request may wait here. Then `forgetRequest` is due. */
  keepRequest(bytes: number, client: string): boolean {
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES || !this.#clients.hold(client, bytes)) return false;
    this.#waitingBytes += bytes;
    return true;
  }

  forgetRequest(bytes: number, client: string): void {
    this.#clients.release(client, bytes);
    this.#waitingBytes -= bytes;
  }
}
