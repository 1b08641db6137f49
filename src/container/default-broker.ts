/** What a server keeps events in unless it is told otherwise: one durable file, and no broker to install. */
export const DEFAULT_BROKER_URL = "sqlite:./fairlead-data/events.db";
