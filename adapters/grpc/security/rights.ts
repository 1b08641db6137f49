/** What an entry may allow, each for names that match its patterns. */
export const RIGHTS = ["post", "subscribe", "request", "admin"] as const;

export type Right = (typeof RIGHTS)[number];

/** What the names are that a right speaks of. */
export const NAMED: Readonly<Record<Right, string>> = {
  post: "client_id",
  subscribe: "client_id",
  request: "sink",
  admin: "queue",
};
