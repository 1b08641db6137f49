import { expect, it } from "vitest";
import { systemRandom } from "../../../src/core/system-random.js";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import { ControlChannel } from "../../../src/events/control-channel.js";
import { Enquiries } from "../../../src/events/enquiries.js";
import type { Messaging } from "../../../src/ports/messaging.js";
import { collectGarbage } from "../../support/collect-garbage.js";
import { VirtualClock } from "../../support/virtual-clock.js";

const LIMIT_MS = 100;
/** What is being compiled may hold one or another. */
const FEW = 10;

it("keeps nothing of what was asked on a channel that has never been live", async () => {
  const clock = new VirtualClock();
  const refused = new MessagingError("PERMISSION_DENIED", "no right to subscribe");
  const broadcast = { subscribe: () => Promise.reject(refused), publish: () => Promise.resolve() };
  const messaging = { broadcast: () => broadcast } as unknown as Messaging;
  const common = { clock, random: systemRandom };
  const channel = new ControlChannel({
    ...common,
    messaging,
    name: "events.control",
    observe: () => {},
    onMessage: () => {},
  });
  const enquiries = new Enquiries({ ...common, channel, intervalMs: 10 });
  const asked = Array.from({ length: 1_000 }, () => {
    const write = (id: string) => ({ kind: "close", id, from: "here", clientId: "client", ageMs: 0 }) as const;
    return { write: new WeakRef(write), outcome: enquiries.ask(write, { node: undefined, limitMs: LIMIT_MS }) };
  });
  await clock.pass(LIMIT_MS);
  expect(new Set(await Promise.all(asked.map(({ outcome }) => outcome)))).toEqual(new Set([undefined]));
  const writes = asked.splice(0).map(({ write }) => write);
  // A WeakRef keeps what it refers to until the turn is over.
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  expect(writes.filter((write) => write.deref() !== undefined).length).toBeLessThan(FEW);
  await channel.close();
});
