import { MessagingError } from "../../../src/errors/messaging-error.js";
import type { ResolvedEventsClientOptions } from "./options.js";
import { ServerLink } from "./server-link.js";

/** The servers of one client. A connection is made when it is first used. */
export class ServerLinks {
  readonly #options: ResolvedEventsClientOptions;
  readonly #links = new Map<string, ServerLink>();
  #index = 0;

  constructor(options: ResolvedEventsClientOptions) {
    this.#options = options;
    // What is wrong with the credentials is told at once.
    this.current();
  }

  /** The one to use until it fails. */
  current(): ServerLink {
    const { servers } = this.#options;
    const address = servers[this.#index % servers.length];
    if (address === undefined) throw new MessagingError("INTERNAL", "the client has no servers");
    let link = this.#links.get(address);
    if (link === undefined) {
      link = new ServerLink(address, this.#options);
      this.#links.set(address, link);
    }
    return link;
  }

  /** From now on the next one, unless somebody else has moved on already. */
  failed(link: ServerLink): void {
    link.failed();
    if (this.current() === link) this.#index = (this.#index + 1) % this.#options.servers.length;
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
  }
}
