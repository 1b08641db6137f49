import assert from "node:assert";
import { createHash } from "node:crypto";
import { FRAME, FRAME_HEADER, type WireMessage } from "../../driver/index.js";
import { type Codec, call, jsonCodec, MessagingError, type RequestMessage, sinkOf } from "../../index.js";
import type { ContractCase } from "../case.js";
import { aborted } from "../queue/steps.js";
import { bytes, numbered, text } from "../text.js";
import {
  echo,
  goesOn,
  KEEP_ALIVE_MS,
  LONG_MS,
  next,
  open,
  readFailure,
  readWell,
  request,
  respond,
  service,
  start,
} from "./steps.js";
import { tappedNode } from "./tapped-node.js";
import { firstSignal, numberOf, type WireServer, wireClient, wireServer } from "./wire-peers.js";

/** A text of this length in which every place is told from its neighbours. */
function long(length: number): string {
  return Array.from({ length: Math.ceil(length / 8) }, (_, index) => String(index).padStart(8, "0"))
    .join("")
    .slice(0, length);
}

function sha256(body: string): string {
  return createHash("sha256").update(body).digest("hex");
}

/** The pieces of a response, by hand. */
function pieces(body: string, size: number): string[] {
  return Array.from({ length: Math.ceil(body.length / size) }, (_, index) =>
    body.slice(index * size, (index + 1) * size),
  );
}

function sendPiece(server: WireServer, to: WireMessage, sequence: number, index: number, body: string): Promise<void> {
  const headers = { [FRAME_HEADER.sequence]: String(sequence), [FRAME_HEADER.fragment]: String(index) };
  return server.send(to, { type: FRAME.fragment, headers, body });
}

function sendEnd(
  server: WireServer,
  to: WireMessage,
  sequence: number,
  fragments: number,
  checksum: string,
): Promise<void> {
  const headers = {
    [FRAME_HEADER.sequence]: String(sequence),
    [FRAME_HEADER.fragments]: String(fragments),
    [FRAME_HEADER.checksum]: checksum,
  };
  return server.send(to, { type: FRAME.fragmentEnd, headers });
}

const upper: Codec<string> = {
  contentType: "text/x-upper",
  encode: (value) => {
    if (value === "cannot be encoded") throw new Error("the encoder refuses");
    return bytes(value.toUpperCase());
  },
  decode: (body) => {
    const value = text(body);
    if (value === "BROKEN") throw new Error("the decoder refuses");
    return value.toLowerCase();
  },
};

/** Large bodies, and what bodies mean. */
export const bodyCases: readonly ContractCase[] = [
  {
    id: "R-150",
    sentence: "a request larger than fragmentBytes arrives whole, with its headers",
    async run(context) {
      const { service: own, sink } = await open(context, "upload", echo, { sink: { fragmentBytes: 1_000 } });
      for (const length of [1_000, 1_001, 25_500]) {
        const body = long(length);
        const stream = start(sink, body, {}, { headers: { size: String(length) } });
        assert.deepEqual(await readWell(context, stream), [body]);
      }
      assert.deepEqual(
        own.calls.items.map(({ request: { headers } }) => headers?.size),
        ["1000", "1001", "25500"],
      );
    },
  },
  {
    id: "R-151",
    sentence: "a response larger than fragmentBytes arrives whole, in its place among others",
    async run(context) {
      const { sink } = await open(
        context,
        "fragments",
        async (served) => {
          await respond(served, "small", long(25_500), "", long(1_001), "last");
          served.context.end();
        },
        { serve: { fragmentBytes: 1_000 } },
      );
      assert.deepEqual(await readWell(context, start(sink)), ["small", long(25_500), "", long(1_001), "last"]);
    },
  },
  {
    id: "R-152",
    sentence: "several megabytes cross both ways with the defaults",
    async run(context) {
      const { sink } = await open(context, "megabytes", echo);
      const body = long(3_000_000);
      const [answer] = await readWell(context, start(sink, body), context.recoveryMs);
      assert.ok(answer === body, "the body came back changed");
    },
  },
  {
    id: "R-153",
    sentence: "the handler of an uploaded request streams far beyond the window, and holds up nobody",
    async run(context) {
      const { sink } = await open(context, "upload-streams", streaming200, { sink: { fragmentBytes: 1_000 } });
      const streams = numbered("u", 3).map((body) => start(sink, body + long(5_000), { window: 4 }));
      for (const texts of await Promise.all(streams.map((stream) => readWell(context, stream)))) {
        assert.deepEqual(texts, numbered("r", 200));
      }
    },
  },
  {
    id: "R-154",
    sentence: "pieces of a response may arrive in any order, and after the end of the body",
    needs: ["frames"],
    async run(context) {
      const name = context.name("any-order");
      const server = await wireServer(context, name);
      const stream = start((await context.node()).messaging.requestSink(name));
      const signal = await firstSignal(server);
      const body = long(500);
      const parts = pieces(body, 100);
      for (const index of [3, 1, 4]) await sendPiece(server, signal, 1, index, parts[index] ?? "");
      await sendEnd(server, signal, 1, parts.length, sha256(body));
      for (const index of [2, 0]) await sendPiece(server, signal, 1, index, parts[index] ?? "");
      await server.respond(signal, 2, "after");
      await server.finish(signal, 2);
      assert.deepEqual(await readWell(context, stream), [body, "after"]);
    },
  },
  {
    id: "R-155",
    sentence: "a piece that arrives twice is dropped, before and after its response is whole",
    needs: ["frames"],
    async run(context) {
      const name = context.name("pieces-twice");
      const server = await wireServer(context, name);
      const stream = start((await context.node()).messaging.requestSink(name));
      const signal = await firstSignal(server);
      const bodies = [long(300), `x${long(250)}`];
      for (const [at, body] of bodies.entries()) {
        const sequence = at + 1;
        for (const [index, piece] of pieces(body, 100).entries()) {
          await sendPiece(server, signal, sequence, index, piece);
          await sendPiece(server, signal, sequence, index, piece);
        }
        await sendEnd(server, signal, sequence, 3, sha256(body));
        await sendEnd(server, signal, sequence, 3, sha256(body));
        await sendPiece(server, signal, sequence, 0, "late");
      }
      await server.finish(signal, 2);
      assert.deepEqual(await readWell(context, stream), bodies);
    },
  },
  {
    id: "R-156",
    sentence:
      "a response with a wrong checksum fails its call with DATA_LOSS, and so does one with more pieces than it has",
    needs: ["frames"],
    async run(context) {
      const name = context.name("checksum");
      const server = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      for (const [index, fragments, checksum] of [
        [0, 3, sha256("something else")],
        [1, 2, sha256(long(300))],
      ] as const) {
        const stream = start(sink);
        const signal = await firstSignal(server, index);
        await server.respond(signal, 1, "before");
        for (const [at, piece] of pieces(long(300), 100).entries()) await sendPiece(server, signal, 2, at, piece);
        await sendEnd(server, signal, 2, fragments, checksum);
        const { texts } = await readFailure(context, stream, "DATA_LOSS");
        assert.deepEqual(texts, ["before"]);
        await server.heard.until(
          (items) => items.some((frame) => frame.type === FRAME.abort && frame.correlationId === signal.correlationId),
          "an abort",
        );
      }
    },
  },
  {
    id: "R-157",
    sentence: "a piece that is lost fails the call with DATA_LOSS, never with a shorter body or a clean end",
    needs: ["frames"],
    async run(context) {
      const name = context.name("piece-lost");
      const own = service(context, async (served) => {
        await respond(served, "before", long(5_000), "after");
        served.context.end();
      });
      await context.serve(await context.node(), name, own, { fragmentBytes: 1_000, keepAliveMs: KEEP_ALIVE_MS });
      let isLost = false;
      const client = tappedNode(context, {
        onInbox(message) {
          if (isLost || message.type !== FRAME.fragment || message.headers[FRAME_HEADER.fragment] !== "2")
            return [message];
          isLost = true;
          return [];
        },
      });
      const { texts } = await readFailure(context, start(client.messaging.requestSink(name)), "DATA_LOSS");
      assert.deepEqual(texts, ["before"]);
    },
  },
  {
    id: "R-158",
    sentence: "a large response counts as one in the window, and each of its pieces moves the deadline",
    needs: ["frames"],
    async run(context) {
      const name = context.name("piece-deadline");
      const server = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const stream = call(sink, request(), { timeoutMs: 300, window: 1 });
      const signal = await firstSignal(server);
      const body = long(600);
      for (const [index, piece] of pieces(body, 100).entries()) {
        await sendPiece(server, signal, 1, index, piece);
        await context.window(100, "in all longer than the timeout");
      }
      await sendEnd(server, signal, 1, 6, sha256(body));
      assert.deepEqual(await next(context, stream, 1), [body]);
      await server.finish(signal, 1);
      assert.deepEqual(await readWell(context, stream), []);
    },
  },
  {
    id: "R-159",
    sentence: "a response beyond maxResponseBytes fails its call with TOO_LARGE, in pieces or not; the next is served",
    async run(context) {
      const { sink } = await open(
        context,
        "response-too-large",
        async (served) => {
          await respond(served, "before", long(Number(served.text)), "after");
          served.context.end();
        },
        { serve: { fragmentBytes: 1_000 }, sink: { maxResponseBytes: 5_000 } },
      );
      const { texts } = await readFailure(context, start(sink, "5001"), "TOO_LARGE");
      assert.deepEqual(texts, ["before"]);
      assert.equal((await readWell(context, start(sink, "5000"))).length, 3);
    },
  },
  {
    id: "R-160",
    sentence:
      "a request beyond the server's maxRequestBytes is refused with TOO_LARGE, before it is uploaded, and not run",
    async run(context) {
      const { service: own, sink } = await open(context, "request-too-large", echo, {
        serve: { maxRequestBytes: 5_000 },
        sink: { fragmentBytes: 1_000 },
      });
      await readFailure(context, start(sink, long(5_001)), "TOO_LARGE");
      assert.deepEqual(await readWell(context, start(sink, long(5_000))), [long(5_000)]);
      assert.equal(own.calls.items.length, 1);
    },
  },
  {
    id: "R-161",
    sentence: "a request that is not cut, but larger than maxRequestBytes, is refused with TOO_LARGE too",
    async run(context) {
      const { sink } = await open(context, "whole-too-large", echo, { serve: { maxRequestBytes: 500 } });
      await readFailure(context, start(sink, long(501)), "TOO_LARGE");
      assert.equal((await readWell(context, start(sink, long(500)))).length, 1);
    },
  },
  {
    id: "R-162",
    sentence: "an upload whose pieces exceed what was announced, or the bound, is refused before they are kept",
    needs: ["frames"],
    async run(context) {
      const name = context.name("lying-upload");
      const own = service(context, echo);
      await context.serve(await context.node(), name, own, { maxRequestBytes: 10_000 });
      const client = await wireClient(context, name);
      const id = await client.signal("", {
        type: FRAME.channelRequest,
        headers: { [FRAME_HEADER.totalBytes]: "2000" },
      });
      const setup = await client.frames.find((frame) => frame.type === FRAME.channelSetup, "the server's inbox");
      for (let index = 0; index < 20; index += 1) {
        const headers = { [FRAME_HEADER.fragment]: String(index) };
        await client.upload(setup.headers[FRAME_HEADER.inbox] ?? "", id, {
          type: FRAME.fragment,
          headers,
          body: long(1_000),
        });
      }
      const error = await client.frames.find((frame) => frame.type === FRAME.error, "a refusal");
      const { code } = JSON.parse(text(error.body)) as { code: string };
      assert.ok(code === "TOO_LARGE" || code === "DATA_LOSS", code);
      const announced = await client.signal("", {
        type: FRAME.channelRequest,
        headers: { [FRAME_HEADER.totalBytes]: "10001" },
      });
      const refused = await client.frames.find((frame) => frame.correlationId === announced, "an answer");
      assert.equal(refused.type, FRAME.error);
      assert.equal(own.calls.items.length, 0);
    },
  },
  {
    id: "R-163",
    sentence:
      "more uploads than maxUploads are refused with REJECTED; one that is given up, or runs out of time, makes room",
    needs: ["frames"],
    async run(context) {
      const name = context.name("uploads");
      const own = service(context, echo);
      const node = await context.node();
      await context.serve(node, name, own, { maxUploads: 1 });
      const client = await wireClient(context, name);
      const ask = (timeoutMs: number) =>
        client.signal("", {
          type: FRAME.channelRequest,
          headers: { [FRAME_HEADER.totalBytes]: "2000", [FRAME_HEADER.timeoutMs]: String(timeoutMs) },
        });
      const answered = async (id: string) =>
        (await client.frames.find((one) => one.correlationId === id, "an answer")).type;
      const first = await ask(LONG_MS);
      assert.equal(await answered(first), FRAME.channelSetup);
      const second = await ask(LONG_MS);
      assert.equal(await answered(second), FRAME.error);
      await client.tell(FRAME.abort, first);
      const sink = await context.sink(name, { fragmentBytes: 1_000 });
      await context.window(50, "the abort has come by then");
      assert.equal((await readWell(context, start(sink, long(3_000)))).length, 1);
      const third = await ask(200);
      assert.equal(await answered(third), FRAME.channelSetup);
      await context.window(400, "its time is over by then");
      assert.equal((await readWell(context, start(sink, long(3_000)))).length, 1);
      assert.equal(own.calls.items.length, 2);
    },
  },
  {
    id: "R-164",
    sentence:
      "an upload waits for the server's credit, and starts again at its first piece when it is set up a second time",
    needs: ["frames"],
    async run(context) {
      const name = context.name("upload-again");
      const server = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name, { fragmentBytes: 100 });
      const body = long(500);
      const stream = start(sink, body);
      const signal = await firstSignal(server);
      assert.equal(signal.type, FRAME.channelRequest);
      assert.equal(numberOf(signal, FRAME_HEADER.totalBytes), 500);
      assert.equal(signal.body.byteLength, 0);
      const setUp = () =>
        server.send(signal, { type: FRAME.channelSetup, headers: { [FRAME_HEADER.grantedUpTo]: "100" } });
      await setUp();
      const ends = () => server.uploaded.items.filter((frame) => frame.type === FRAME.fragmentEnd).length;
      await server.uploaded.until(() => ends() === 1, "the first upload");
      await setUp();
      await server.uploaded.until(() => ends() === 2, "the second upload");
      const second = server.uploaded.items.slice(
        server.uploaded.items.findIndex(({ type }) => type === FRAME.fragmentEnd) + 1,
      );
      const sent = second.filter((frame) => frame.type === FRAME.fragment).map((frame) => text(frame.body));
      assert.equal(sent.join(""), body);
      assert.equal(second.at(-1)?.headers[FRAME_HEADER.checksum], sha256(body));
      await server.respond(signal, 1, "well");
      await server.finish(signal, 1);
      assert.deepEqual(await readWell(context, stream), ["well"]);
    },
  },
  {
    id: "R-165",
    sentence: "an upload whose server's inbox is gone fails its call with UNAVAILABLE",
    needs: ["frames"],
    async run(context) {
      const name = context.name("upload-gone");
      const server = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name, { fragmentBytes: 100 });
      const stream = start(sink, long(5_000));
      const signal = await firstSignal(server);
      await server.send(signal, { type: FRAME.channelSetup, headers: { [FRAME_HEADER.grantedUpTo]: "1" } });
      await server.uploaded.count(1);
      await context.soon(server.connection.close(), "close of the server's link");
      const other = await wireServer(context, name);
      await other.send(signal, {
        type: FRAME.credit,
        headers: { [FRAME_HEADER.grantedUpTo]: "1000", [FRAME_HEADER.node]: server.nodeId },
      });
      await readFailure(context, stream, "UNAVAILABLE");
    },
  },
  {
    id: "R-166",
    sentence: "bodies go through a codec each way, and the service sees values",
    async run(context) {
      interface Sum {
        readonly numbers: readonly number[];
      }
      const codec = jsonCodec<Sum>();
      const responseCodec = jsonCodec<number>();
      const name = context.name("codec");
      const handler = sinkOf<Sum, number>(async function* ({ body }: RequestMessage<Sum>) {
        let sum = 0;
        for (const one of body.numbers) {
          sum += one;
          yield { body: sum };
        }
      });
      await context.serve(await context.node(), name, handler, { codec, responseCodec });
      const sink = await context.sink<Sum, number>(name, { codec, responseCodec });
      const seen: number[] = [];
      const stream = call(sink, { body: { numbers: [1, 2, 3] } }, { timeoutMs: LONG_MS });
      for await (const { body } of stream) seen.push(body);
      assert.deepEqual(seen, [1, 3, 6]);
    },
  },
  {
    id: "R-167",
    sentence: "a server chooses among its codecs by content type, and so does a client for responses",
    async run(context) {
      const name = context.name("codecs");
      const json = jsonCodec<string>();
      const handler = sinkOf<string, string>(async function* ({ body }: RequestMessage<string>) {
        yield { body };
      });
      await context.serve(await context.node(), name, handler, { codec: [json, upper], responseCodec: upper });
      for (const codec of [json, upper]) {
        const sink = await context.sink<string, string>(name, { codec, responseCodec: [json, upper] });
        const seen: string[] = [];
        for await (const { body } of call(sink, { body: "hello" }, { timeoutMs: LONG_MS })) seen.push(body);
        assert.deepEqual(seen, ["hello"]);
      }
    },
  },
  {
    id: "R-168",
    sentence:
      "a content type that the server does not know is answered with MALFORMED, and so is a body that it cannot read",
    async run(context) {
      const name = context.name("undecodable");
      const seen: string[] = [];
      const handler = sinkOf<string, string>(async function* ({ body }: RequestMessage<string>) {
        seen.push(body);
        yield { body };
      });
      await context.serve(await context.node(), name, handler, { codec: upper });
      const sink = await context.sink(name);
      await readFailure(context, start(sink, "x", {}, { contentType: "text/unknown" }), "MALFORMED");
      await readFailure(context, start(sink, "BROKEN", {}, { contentType: upper.contentType }), "MALFORMED");
      assert.deepEqual(await readWell(context, start(sink, "WELL", {}, { contentType: upper.contentType })), ["WELL"]);
      assert.deepEqual(seen, ["well"]);
    },
  },
  {
    id: "R-169",
    sentence: "a response that the client cannot read fails its call with MALFORMED, and the service is told",
    async run(context) {
      const { name, service: own } = await open(context, "response-undecodable", async ({ context: caller }) => {
        await caller.respond({ body: bytes("FINE"), contentType: upper.contentType });
        await caller.respond({ body: bytes("BROKEN"), contentType: upper.contentType });
        await aborted(caller.signal);
      });
      const sink = await context.sink<Uint8Array, string>(name, { responseCodec: upper });
      const seen: string[] = [];
      const reading = (async () => {
        for await (const { body } of call(sink, request(), { timeoutMs: LONG_MS })) seen.push(body);
      })();
      await context.refused(() => reading, "MALFORMED", "reading");
      assert.deepEqual(seen, ["fine"]);
      await context.until(
        () => own.calls.items[0]?.context.signal.aborted === true,
        () => "the service to be told",
      );
    },
  },
  {
    id: "R-170",
    sentence: "a response that cannot be encoded ends its call with an error, respond is false, and the server goes on",
    async run(context) {
      const name = context.name("unencodable");
      const answers: unknown[] = [];
      await context.serve<string, string>(
        await context.node(),
        name,
        {
          signal({ body }, caller) {
            const run = async (): Promise<void> => {
              answers.push(await caller.respond({ body: "fine" }));
              if (body === "bad") answers.push(await caller.respond({ body: "cannot be encoded" }));
              caller.end();
            };
            run().catch(() => undefined);
          },
          abort() {},
        },
        { codec: upper },
      );
      const sink = await context.sink<string, string>(name, { codec: upper });
      const seen: string[] = [];
      let error: unknown;
      try {
        for await (const { body } of call(sink, { body: "bad" }, { timeoutMs: LONG_MS })) seen.push(body);
      } catch (thrown) {
        error = thrown;
      }
      assert.ok(MessagingError.is(error) && error.code !== "TIMEOUT", String(error));
      assert.deepEqual(seen, ["fine"]);
      assert.deepEqual(answers, [true, false]);
      for await (const { body } of call(sink, { body: "good" }, { timeoutMs: LONG_MS })) assert.equal(body, "fine");
    },
  },
  {
    id: "R-171",
    sentence: "a request that cannot be encoded fails with INVALID_ARGUMENT, and nothing is sent",
    async run(context) {
      const { name, service: own } = await open(context, "request-unencodable", echo);
      const sink = await context.sink<string, Uint8Array>(name, {
        codec: upper,
        responseCodec: { contentType: "application/octet-stream", encode: (body) => body, decode: (body) => body },
      });
      const reading = async (): Promise<void> => {
        for await (const _ of call(sink, { body: "cannot be encoded" }, { timeoutMs: LONG_MS }));
      };
      await context.refused(reading, "INVALID_ARGUMENT", "the call");
      await goesOn(context, await context.sink(name));
      assert.equal(own.calls.items.length, 1);
    },
  },
  {
    id: "R-172",
    sentence: "a JSON body writes no prototype and runs nothing",
    async run(context) {
      const name = context.name("prototype");
      const codec = jsonCodec<Record<string, unknown>>();
      let seen: Record<string, unknown> | undefined;
      const handler = sinkOf<Record<string, unknown>, Record<string, unknown>>(async function* ({ body }) {
        seen = body;
        yield { body: { ok: true } };
      });
      await context.serve(await context.node(), name, handler, { codec });
      const sink = await context.sink(name);
      const body = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}';
      await readWell(context, start(sink, body, {}, { contentType: codec.contentType }));
      assert.notEqual(seen, undefined);
      assert.equal(({} as Record<string, unknown>).polluted, undefined);
      assert.equal(Object.getPrototypeOf(seen), Object.prototype);
    },
  },
];

async function streaming200(served: Parameters<typeof echo>[0]): Promise<void> {
  await respond(served, ...numbered("r", 200));
  served.context.end();
}
