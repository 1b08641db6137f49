import type { AmqpConnectionState } from "./amqp.js";

/** At least, and three heartbeats: a link on which nothing passes for that long is dead. */
const LEAST_REST_MS = 60_000;
const HEARTBEATS = 3;

/** What stands in the place of a channel that is closed: frames that come late end here. */
const SILENT = Object.freeze({ channel: Object.freeze({ accept(): void {}, toClosed(): void {} }) });

/**
 * Keeps the numbers of closed channels from being used again for a while, and swallows what still arrives for them.
 *
 * The broker goes on handing out deliveries for an instant after it has closed a channel over an error, also after it was
 * told that the client knows. amqplib frees the number at once: a late frame then ends the whole connection ("Frame on unknown
 * channel"), or reaches the next channel of that number. Who closed a channel is not asked, since both sides may at once.
 *
 * Bounded by the channels that a connection may have: when no other number is free, the one that rested longest goes.
 */
export function restNumbers(connection: AmqpConnectionState, now: () => number = () => performance.now()): void {
  const { channels, freeChannels } = connection;
  const restMs = Math.max(LEAST_REST_MS, HEARTBEATS * 1_000 * connection.heartbeat);
  const allocate = connection.freshChannel.bind(connection);
  const release = connection.releaseChannel.bind(connection);
  /** Until when, in the order in which they began. */
  const resting = new Map<number, number>();

  connection.freshChannel = (channel, options) => {
    for (const [number, until] of resting) {
      if (until > now() && freeChannels.nextClearBit(1) <= connection.channelMax) break;
      resting.delete(number);
      channels[number] = null;
      freeChannels.clear(number);
    }
    return allocate(channel, options);
  };
  connection.releaseChannel = (number) => {
    release(number);
    // Taken, as amqplib sees it.
    freeChannels.set(number);
    channels[number] = SILENT;
    resting.set(number, now() + restMs);
  };
}
