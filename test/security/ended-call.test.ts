import { type ClientHttp2Stream, connect } from "node:http2";
import { describe, expect, it, onTestFinished } from "vitest";
import { until } from "../adapters/grpc/rig.js";
import { GuardedRig } from "./attack.js";

const DEADLINE_EXCEEDED = 4;
const RESOURCE_EXHAUSTED = 8;

function prefix(bytes: number): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes, 1);
  return head;
}

/** A SubscriptionRequest of this client. */
function subscription(client: string): Buffer {
  const body = Buffer.concat([Buffer.from([0x0a, client.length]), Buffer.from(client)]);
  return Buffer.concat([prefix(body.length), body]);
}

/** The status that the call is answered with, also when its client has not said all. */
function statusOf(stream: ClientHttp2Stream): Promise<number> {
  return new Promise((resolve) => {
    const told = (headers: Record<string, unknown>): void => {
      if (headers["grpc-status"] !== undefined) resolve(Number(headers["grpc-status"]));
    };
    stream.on("response", told).on("trailers", told).resume();
  });
}

const ENDS = [
  { what: "whose deadline is over", timeout: "50m", more: undefined, status: DEADLINE_EXCEEDED },
  { what: "whose second message is too large", timeout: "60S", more: prefix(2 ** 31 - 1), status: RESOURCE_EXHAUSTED },
];

describe.each([
  { name: "with a guard", options: { maxSubscribersPerClient: 5 } },
  { name: "without one", options: {} },
])("a call that is answered before its client has ended its request, $name", ({ options }) => {
  it.each(ENDS)("$what: subscribes nobody", async ({ timeout, more, status }) => {
    const rig = await GuardedRig.start(options);
    onTestFinished(() => rig[Symbol.asyncDispose]());
    const session = connect(`http://${rig.address}`);
    session.on("error", () => undefined);
    onTestFinished(() => session.destroy());
    const subscribe = (timeout: string): ClientHttp2Stream =>
      session
        .request({
          ":method": "POST",
          ":path": "/queue.QueueApi/SubscribeEvents",
          "content-type": "application/grpc",
          te: "trailers",
          "grpc-timeout": timeout,
        })
        .on("error", () => undefined);
    for (let index = 0; index < 10; index += 1) {
      const stream = subscribe(timeout);
      stream.write(subscription(`ghost-${index}`));
      if (more !== undefined) stream.write(more);
      expect(await statusOf(stream)).toBe(status);
      stream.end();
    }
    // What the server reads after the last of them.
    subscribe("60S").resume().end(subscription("alive"));
    await until(() => rig.events.counts.subscribers > 0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(rig.events.counts.subscribers).toBe(1);
  });
});
