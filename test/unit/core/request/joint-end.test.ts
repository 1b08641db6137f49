import { afterEach, expect, test } from "vitest";
import { memoryBroker } from "../../../../adapters/memory/index.js";
import { call, callOne } from "../../../../src/core/request/calls.js";
import { sinkOf } from "../../../../src/core/request/sink-of.js";
import { FRAME, FRAME_HEADER } from "../../../../src/driver/index.js";
import type { RequestContext, RequestSink, ResponseMessage } from "../../../../src/ports/request-sink.js";
import { type TappedMessaging, tappedMessaging } from "./tapped-messaging.js";

const BODY = Buffer.from("body");
const OPTIONS = { timeoutMs: 10_000 };

let nodes: TappedMessaging[] = [];
afterEach(async () => {
  await Promise.all(nodes.map(({ messaging }) => messaging.close({ drainMs: 0 })));
  nodes = [];
});

type Handler = (context: RequestContext) => unknown;

const bytesOf = ({ body }: ResponseMessage<unknown>): Buffer => Buffer.from(body as Uint8Array);

const sinkOfContext = (handler: Handler): RequestSink => ({
  signal: (_request, context) => void handler(context),
  abort() {},
});

/** A client and a server; what the server has sent for calls. */
async function serving(sink: RequestSink, protocolVersion: "auto" | "V4" = "auto") {
  const broker = memoryBroker();
  const [client, server] = [tappedMessaging(broker), tappedMessaging(broker)];
  nodes = [client, server];
  await server.messaging.serve("joint", sink, { keepAliveMs: 200 });
  const remote = client.messaging.requestSink("joint", { protocolVersion });
  const told = (): string[] => server.published.map(({ type = "" }) => type).filter((type) => type !== FRAME.alive);
  return { client, server, remote, told };
}

const HANDLERS: Readonly<Record<string, RequestSink>> = {
  "at once": sinkOfContext((context) => {
    void context.respond({ body: BODY });
    context.end();
  }),
  "after awaiting its response": sinkOfContext(async (context) => {
    await context.respond({ body: BODY });
    context.end();
  }),
  "as a generator": sinkOf(async function* () {
    yield { body: BODY };
  }),
};

for (const [how, sink] of Object.entries(HANDLERS)) {
  test(`a call that ends ${how} is told its response and its end in one frame`, async () => {
    const { server, remote, told } = await serving(sink);
    expect(bytesOf(await callOne(remote, { body: BODY }, OPTIONS))).toEqual(BODY);
    expect(told()).toEqual([FRAME.response]);
    expect(server.published[0]?.headers[FRAME_HEADER.totalResponses]).toBe("1");
  });
}

test("a client that does not ask for it is told the end by a frame of its own", async () => {
  const { client, server, remote, told } = await serving(HANDLERS["at once"] as RequestSink, "V4");
  await callOne(remote, { body: BODY }, OPTIONS);
  expect(client.published[0]?.headers[FRAME_HEADER.jointEnd]).toBeUndefined();
  expect(told()).toEqual([FRAME.response, FRAME.end]);
  expect(server.published[0]?.headers[FRAME_HEADER.totalResponses]).toBeUndefined();
});

test("more than one response, an error, and an end that comes later are told as ever", async () => {
  const two = await serving(
    sinkOfContext((context) => {
      void context.respond({ body: BODY });
      void context.respond({ body: BODY });
      context.end();
    }),
  );
  let count = 0;
  for await (const _ of call(two.remote, { body: BODY }, OPTIONS)) count += 1;
  expect(count).toBe(2);
  expect(two.told()).toEqual([FRAME.response, FRAME.response, FRAME.end]);
  await Promise.all(nodes.map(({ messaging }) => messaging.close({ drainMs: 0 })));

  const failing = await serving(
    sinkOf(async function* () {
      yield { body: BODY };
      throw new Error("after its response");
    }),
  );
  await expect(callOne(failing.remote, { body: BODY }, OPTIONS)).rejects.toThrow("after its response");
  expect(failing.told()).toEqual([FRAME.response, FRAME.error]);
  await Promise.all(nodes.map(({ messaging }) => messaging.close({ drainMs: 0 })));

  let end = (): void => {};
  const open = await serving(
    sinkOfContext((context) => {
      void context.respond({ body: BODY });
      end = () => context.end();
    }),
  );
  const reader = call(open.remote, { body: BODY }, OPTIONS);
  expect(await reader.batch({ max: 1, waitMs: 10_000 })).toHaveLength(1);
  end();
  await reader.ended;
  expect(open.told()).toEqual([FRAME.response, FRAME.end]);
});

test("a response that was the end, and was lost, is sent again", async () => {
  const { client, remote, told } = await serving(HANDLERS["at once"] as RequestSink);
  let lost = 0;
  client.loses = (frame, to) => {
    const isLost = to === "inbox" && frame.type === FRAME.response && lost === 0;
    if (isLost) lost += 1;
    return isLost;
  };
  expect(bytesOf(await callOne(remote, { body: BODY }, OPTIONS))).toEqual(BODY);
  expect(lost).toBe(1);
  expect(told().filter((type) => type === FRAME.response)).toHaveLength(2);
});
