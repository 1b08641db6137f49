import assert from "node:assert";
import { FRAME, FRAME_HEADER } from "../../driver/index.js";
import type { ContractCase } from "../case.js";
import { text } from "../text.js";
import { long, sha256 } from "./long-body.js";
import { echo, LONG_MS, open, readFailure, readWell, respond, service, start } from "./steps.js";
import { firstSignal, numberOf, wireClient, wireServer } from "./wire-peers.js";

/** Bounds of bodies and uploads. */
export const bodyLimitCases: readonly ContractCase[] = [
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
];
