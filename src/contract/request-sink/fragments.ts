import assert from "node:assert";
import { FRAME, FRAME_HEADER, type WireMessage } from "../../driver/index.js";
import { call } from "../../index.js";
import type { ContractCase } from "../case.js";
import { numbered } from "../text.js";
import { long, sha256 } from "./long-body.js";
import { echo, keepAliveMs, next, open, readFailure, readWell, request, respond, service, start } from "./steps.js";
import { tappedNode } from "./tapped-node.js";
import { firstSignal, type WireServer, wireServer } from "./wire-peers.js";

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

/** Bodies that travel in pieces. */
export const fragmentCases: readonly ContractCase[] = [
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
    sentence: "a piece that is lost is sent again: never is a body shorter, nor an end clean without it",
    needs: ["frames"],
    async run(context) {
      const name = context.name("piece-lost");
      const own = service(context, async (served) => {
        await respond(served, "before", long(5_000), "after");
        served.context.end();
      });
      await context.serve(await context.node(), name, own, { fragmentBytes: 1_000, keepAliveMs: keepAliveMs(context) });
      let isLost = false;
      const client = tappedNode(context, {
        onInbox(message) {
          if (isLost || message.type !== FRAME.fragment || message.headers[FRAME_HEADER.fragment] !== "2")
            return [message];
          isLost = true;
          return [];
        },
      });
      const texts = await readWell(context, start(client.messaging.requestSink(name)), context.recoveryMs);
      assert.deepEqual(texts, ["before", long(5_000), "after"]);
      assert.ok(isLost);
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
      const timeoutMs = context.unhurried(300);
      const stream = call(sink, request(), { timeoutMs, window: 1 });
      const signal = await firstSignal(server);
      const body = long(600);
      for (const [index, piece] of pieces(body, 100).entries()) {
        await sendPiece(server, signal, 1, index, piece);
        await context.window(timeoutMs / 3, "in all longer than the timeout");
      }
      await sendEnd(server, signal, 1, 6, sha256(body));
      assert.deepEqual(await next(context, stream, 1), [body]);
      await server.finish(signal, 1);
      assert.deepEqual(await readWell(context, stream), []);
    },
  },
];

async function streaming200(served: Parameters<typeof echo>[0]): Promise<void> {
  await respond(served, ...numbered("r", 200));
  served.context.end();
}
