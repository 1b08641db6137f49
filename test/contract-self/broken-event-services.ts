import { brokenAcks } from "./events/broken-acks.js";
import type { BrokenEventService } from "./events/broken-event-service.js";
import { brokenPosts } from "./events/broken-posts.js";
import { brokenRetries } from "./events/broken-retries.js";
import { brokenSharing } from "./events/broken-sharing.js";
import { brokenStreams } from "./events/broken-streams.js";

export const brokenEventServices: readonly BrokenEventService[] = [
  ...brokenAcks,
  ...brokenPosts,
  ...brokenRetries,
  ...brokenSharing,
  ...brokenStreams,
];
