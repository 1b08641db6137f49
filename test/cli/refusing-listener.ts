import { createServer, type Server } from "node:net";

/** Takes a port and ends every connection at once: a server that is not there yet, with somebody who counts. */
export class RefusingListener implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  #refused = 0;
  #onRefused: () => void = () => {};

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on("connection", (socket) => {
      socket.on("error", () => undefined);
      socket.destroy();
      this.#refused += 1;
      this.#onRefused();
    });
  }

  static async listen(): Promise<RefusingListener> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("no port");
    return new RefusingListener(server, address.port);
  }

  /** Resolves once so many have come. */
  async refused(count: number, timeoutMs = 10_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (this.#refused < count) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`only ${this.#refused} of ${count} connections came within ${timeoutMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#onRefused = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
