// Durable events over gRPC: npx fairlead serve, and SERVER=127.0.0.1:10001 node examples/events.mjs

import { grpcModule } from "fairlead/adapters/grpc";
import { memoryModule } from "fairlead/adapters/memory";
import { createContainer, TOKENS } from "fairlead/container";
import { createEventsClient } from "fairlead/events-client";

// Without a server elsewhere, one in this process, which keeps nothing.
const container = createContainer(memoryModule(), grpcModule({ listen: "127.0.0.1:0" }));
const local = process.env.SERVER ? undefined : container.get(TOKENS.Server);
const [address] = (await local?.start()) ?? [];

const client = createEventsClient({
  server: process.env.SERVER ?? address, // several of one broker: ["a:10001", "b:10001"]
  clientId: "billing",
  onNotice: (notice) => notice.type === "state" && console.log(notice.state),
});

let done;
const received = new Promise((resolve) => {
  done = resolve;
});
await client.subscribe(
  (event) => {
    // Returning acknowledges; throwing refuses, and the event comes again by the server's retry schedule.
    console.log(event.json(), event.searchKey1, event.token);
    if (event.token === "invoice-9-due") done();
  },
  { concurrency: 1 },
);

// Resolves once the server has stored it. Tried again under the same id, so that a lost answer stores nothing twice.
await client.post({ invoice: 7 }, { searchKey1: 7n, token: "invoice-7" });
// In volume, on one stream, with a result for each. Not delivered before its date.
const results = await client.postMany([
  { body: { invoice: 8 }, searchKey1: 8n, token: "invoice-8" },
  { body: { invoice: 9 }, searchKey1: 9n, token: "invoice-9-due", effectiveDate: new Date(Date.now() + 300) },
]);
for (const { error } of results) if (error) throw error;

await received;
await client.close(); // running handlers finish, and the server is told
await local?.close();
