import { setTimeout as delay } from "node:timers/promises";
import { waitUntil } from "../process/wait-until.js";
import type { DemoServer } from "./demo-server.js";
import type { Ledger } from "./ledger.js";

const CALL_MS = 10_000;
const ACKS_MS = 2_000;

export interface DemoSubscriberOptions {
  readonly name: string;
  readonly clientId: string;
  readonly servers: readonly DemoServer[];
  /** Index of the server that it tries first. */
  readonly first: number;
  readonly ledger: Ledger;
  say(line: string): void;
}

/** Receives events and acknowledges each; when its stream ends, it subscribes at the next server. */
export class DemoSubscriber {
  readonly name: string;
  readonly #options: DemoSubscriberOptions;
  readonly #stop = new AbortController();
  #current: number;
  #received = 0;
  #acksUnderWay = 0;
  #running: Promise<void> | undefined;

  constructor(options: DemoSubscriberOptions) {
    this.name = options.name;
    this.#options = options;
    this.#current = options.first;
  }

  /** Events of this demo, duplicates included. */
  get received(): number {
    return this.#received;
  }

  /** Resolves when a server answered its subscription. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#running = this.#run(resolve);
    });
  }

  /** Waits for acks that are under way, closes the subscription and resolves when its stream has ended. */
  async stop(): Promise<void> {
    if (this.#running === undefined) return;
    // With an ack still missing the event would stay for the next demo, which is no harm.
    await waitUntil(() => this.#acksUnderWay === 0, { what: "acks", timeoutMs: ACKS_MS }).catch(() => {});
    this.#stop.abort();
    const { client } = this.#server;
    await new Promise<void>((resolve) => {
      client.Close({ clientId: this.#options.clientId }, { deadline: Date.now() + CALL_MS }, () => resolve());
    });
    await this.#running;
  }

  get #server(): DemoServer {
    const { servers } = this.#options;
    const server = servers[this.#current % servers.length];
    if (server === undefined) throw new Error("there are no servers");
    return server;
  }

  async #run(onListening: () => void): Promise<void> {
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      const { name } = this.#server;
      let listened = false;
      const why = await this.#listen(() => {
        listened = true;
        this.#options.say(`${this.name} listens at ${name}`);
        onListening();
      });
      if (this.#stop.signal.aborted) return;
      if (listened) this.#options.say(`${this.name} lost ${name}: ${why}`);
      failures = listened ? 1 : failures + 1;
      this.#current += 1;
      await delay(Math.min(50 * 2 ** failures, 1_000), undefined, { signal: this.#stop.signal }).catch(() => {});
    }
  }

  /** Resolves with the reason when the stream is over. */
  #listen(onListening: () => void): Promise<string> {
    const { client } = this.#server;
    const stream = client.SubscribeEvents({ clientId: this.#options.clientId });
    const cancel = (): void => stream.cancel();
    const timer = setTimeout(cancel, CALL_MS);
    // Close ends the stream with OK; a server that does not answer must not hold us.
    const onStop = (): void => void setTimeout(cancel, CALL_MS).unref();
    this.#stop.signal.addEventListener("abort", onStop);
    return new Promise<string>((resolve) => {
      stream.on("metadata", () => {
        clearTimeout(timer);
        onListening();
      });
      stream.on("data", (event) => this.#take(event.userToken, event.futureUserToken));
      stream.on("error", (error) => resolve(error.message));
      stream.on("end", () => resolve("it ended the stream"));
    }).finally(() => {
      clearTimeout(timer);
      this.#stop.signal.removeEventListener("abort", onStop);
    });
  }

  #take(ackToken: string, token: string): void {
    if (this.#options.ledger.addReceived(token)) this.#received += 1;
    this.#acksUnderWay += 1;
    // An ack that fails is no loss: the event comes again.
    this.#server.client.Ack({ userToken: ackToken, success: true }, { deadline: Date.now() + CALL_MS }, () => {
      this.#acksUnderWay -= 1;
    });
  }
}
