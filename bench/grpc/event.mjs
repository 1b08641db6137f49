import { randomUUID } from "node:crypto";

const EVENT_JSON = JSON.stringify({ id: 7, name: "an event of the usual size", isActive: true });

/** An event of a usual size, as QueueApi has it. */
export function event() {
  return {
    clientId: "bench",
    eventJson: EVENT_JSON,
    userToken: randomUUID(),
    effectiveDate: { seconds: "1700000000", nanos: 0 },
    searchKey1: "1",
    searchKey2: "2",
  };
}
