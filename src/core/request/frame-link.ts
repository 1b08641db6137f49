import type { Address, WireMessage } from "../../driver/driver.js";
import type { Link, ManagedConnection } from "../managed-connection.js";

/** Frames that the link may have been handed beyond what it has room for. */
const MAX_WAITING = 64;

/** Sends frames on the link that is up, in order, and says when there is no room for more. Keeps none itself. */
export class FrameLink {
  readonly #connection: ManagedConnection;
  readonly #onRoom: () => void;
  readonly #onRefused: (frame: WireMessage, error: unknown) => void;
  /** A promise that is known to have resolved: drivers with room return the same again and again. */
  #ready: Promise<void> | undefined;
  #waiting = 0;

  constructor(
    connection: ManagedConnection,
    onRoom: () => void,
    onRefused: (frame: WireMessage, error: unknown) => void,
  ) {
    this.#connection = connection;
    this.#onRoom = onRoom;
    this.#onRefused = onRefused;
  }

  /** The link that is up; none while its loss is being told. */
  get link(): Link | undefined {
    const { link } = this.#connection;
    return link?.lost.hasEnded ? undefined : link;
  }

  /** Whether there is a link with room for more. */
  get hasRoom(): boolean {
    return this.#waiting < MAX_WAITING && this.link !== undefined;
  }

  /** False: there is no link. */
  send(to: Address, frame: WireMessage): boolean {
    const { link } = this;
    if (link === undefined) return false;
    const sent = handOver(link, to, frame);
    if (sent !== this.#ready) this.#wait(sent, frame, link);
    return true;
  }

  #wait(sent: Promise<void>, frame: WireMessage, link: Link): void {
    this.#waiting += 1;
    sent.then(
      () => {
        this.#ready = sent;
        this.#release();
      },
      (error: unknown) => {
        this.#release();
        // A lost link says so itself, to all that hang on it.
        if (!link.lost.hasEnded) this.#onRefused(frame, error);
      },
    );
  }

  #release(): void {
    this.#waiting -= 1;
    if (this.#waiting === MAX_WAITING - 1) this.#onRoom();
  }
}

/** A driver that throws where it should reject has failed all the same. */
function handOver({ connection }: Link, to: Address, frame: WireMessage): Promise<void> {
  try {
    return connection.publish(to, frame);
  } catch (error) {
    return Promise.reject(error);
  }
}
