import { Client, type ClientReadableStream, credentials } from "@grpc/grpc-js";
import { service } from "grpc-health-check";

const { Check: CHECK, Watch: WATCH } = service;

export interface HealthReply {
  readonly status: string;
}

/** Asks a server for its health, without credentials. Close it, whatever happened. */
export class HealthClient {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure());
  }

  /** Rejects with the `ServiceError`. */
  check(name = ""): Promise<string> {
    return new Promise((resolve, reject) => {
      if (CHECK === undefined) return reject(new Error("there is no Check"));
      const { path, requestSerialize, responseDeserialize } = CHECK;
      const request = { service: name };
      this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, reply) =>
        error === null ? resolve((reply as unknown as HealthReply).status) : reject(error),
      );
    });
  }

  /** Its errors are dropped. */
  watch(name = ""): ClientReadableStream<HealthReply> {
    if (WATCH === undefined) throw new Error("there is no Watch");
    const { path, requestSerialize, responseDeserialize } = WATCH;
    const read = (bytes: Buffer): HealthReply => responseDeserialize(bytes) as unknown as HealthReply;
    const stream = this.#client.makeServerStreamRequest(path, requestSerialize, read, { service: name });
    stream.on("error", () => undefined);
    return stream;
  }

  /** What a watch tells, as it comes. */
  statuses(name = ""): readonly string[] {
    const seen: string[] = [];
    this.watch(name).on("data", ({ status }: HealthReply) => seen.push(status));
    return seen;
  }

  close(): void {
    this.#client.close();
  }
}
