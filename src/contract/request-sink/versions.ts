import assert from "node:assert";
import { FRAME, FRAME_HEADER } from "../../driver/index.js";
import type { ProtocolVersion } from "../../index.js";
import type { ContractCase } from "../case.js";
import { aborted } from "../queue/steps.js";
import { numbered, text } from "../text.js";
import {
  echo,
  keepAliveMs,
  lifeMs,
  next,
  open,
  readFailure,
  readWell,
  respond,
  service,
  start,
  streaming,
  told,
} from "./steps.js";
import { tappedNode } from "./tapped-node.js";
import { firstSignal, wireClient, wireServer } from "./wire-peers.js";

/** V4, which everybody speaks, V5 with flow control, and how the two ends agree. */
export const versionCases: readonly ContractCase[] = [
  {
    id: "R-140",
    sentence: "by default a request says V4 and V5 at most, and a server that knows V5 answers in it",
    needs: ["frames"],
    async run(context) {
      const name = context.name("auto");
      await context.serve(await context.node(), name, service(context, streaming(20)));
      const client = tappedNode(context);
      await readWell(context, start(client.messaging.requestSink(name), "request", { window: 4 }));
      const signal = client.published.items.find(({ message }) => message.type === FRAME.signal)?.message;
      assert.equal(signal?.headers[FRAME_HEADER.version], "V4");
      assert.equal(signal?.headers[FRAME_HEADER.maxVersion], "V5");
      for (const frame of client.received.items) assert.equal(frame.headers[FRAME_HEADER.version], "V5");
      assert.ok(
        client.published.items.some(({ message }) => message.type === FRAME.credit),
        "no credit was given",
      );
    },
  },
  {
    id: "R-141",
    sentence: "clients and servers of every version understand each other: streams, errors and aborts",
    needs: ["frames"],
    async run(context) {
      const versions = ["V4", "V5"] as const satisfies readonly ProtocolVersion[];
      for (const server of versions) {
        const opened = await open(
          context,
          `versions-${server}`,
          async (served) => {
            if (served.text === "fail") throw new Error("failed");
            if (served.text === "hang") {
              await respond(served, "one");
              await aborted(served.context.signal);
            }
            await streaming(30)(served, 0);
          },
          { serve: { protocolVersion: server } },
        );
        for (const client of server === "V4" ? (["V4", "auto"] as const) : (["V4", "V5", "auto"] as const)) {
          const { messaging } = await context.node();
          const sink = messaging.requestSink(opened.name, { protocolVersion: client });
          assert.deepEqual(await readWell(context, start(sink, "stream", { window: 40 })), numbered("r", 30));
          await readFailure(context, start(sink, "fail"), "REMOTE");
          const known = opened.service.calls.items.length;
          const hang = start(sink, "hang");
          await next(context, hang, 1);
          hang.abort();
          await told(context, await opened.service.calls.at(known));
        }
      }
    },
  },
  {
    id: "R-142",
    sentence: "a client pinned to V5 is refused with UNSUPPORTED by a server without it",
    needs: ["frames"],
    async run(context) {
      const name = context.name("pinned");
      const own = service(context, echo);
      await context.serve(await context.node(), name, own, { protocolVersion: "V4" });
      const { messaging } = await context.node();
      await readFailure(context, start(messaging.requestSink(name, { protocolVersion: "V5" })), "UNSUPPORTED");
      assert.equal(own.calls.items.length, 0);
    },
  },
  {
    id: "R-143",
    sentence:
      "a request in a version that nobody knows is answered with an error, and one with an unknown maximum is served",
    needs: ["frames"],
    async run(context) {
      const name = context.name("unknown-version");
      await context.serve(await context.node(), name, service(context, echo));
      const client = await wireClient(context, name);
      const unknown = await client.signal("request", { headers: { [FRAME_HEADER.version]: "V9" } });
      const error = await client.frames.find((frame) => frame.correlationId === unknown, "an answer");
      assert.equal(error.type, FRAME.error);
      assert.equal((JSON.parse(text(error.body)) as { code: string }).code, "UNSUPPORTED");
      const newer = await client.signal("newer", { headers: { [FRAME_HEADER.maxVersion]: "V9" } });
      await client.frames.find((frame) => frame.correlationId === newer && frame.type === FRAME.end, "the end");
    },
  },
  {
    id: "R-144",
    sentence: "frames without a version are V4: a caller reads them, unnumbered, and sends no credit",
    needs: ["frames"],
    async run(context) {
      const name = context.name("no-version");
      const server = await wireServer(context, name, { version: "" });
      const client = tappedNode(context);
      const stream = start(client.messaging.requestSink(name), "request", { window: 3 });
      const signal = await firstSignal(server);
      for (const body of numbered("r", 20)) await server.send(signal, { type: FRAME.response, body });
      await server.send(signal, { type: FRAME.end });
      assert.deepEqual(await readWell(context, stream), numbered("r", 20));
      assert.ok(!client.published.items.some(({ message }) => message.type === FRAME.credit));
    },
  },
  {
    id: "R-145",
    sentence: "a V4 call has no pulse: its server may be silent for long",
    needs: ["frames"],
    async run(context) {
      const name = context.name("v4-silent");
      const own = service(context, async (served) => {
        await respond(served, "one");
        await context.window(lifeMs(context) + 100, "longer than three intervals");
        await respond(served, "two");
        served.context.end();
      });
      await context.serve(await context.node(), name, own, {
        protocolVersion: "V4",
        keepAliveMs: keepAliveMs(context),
      });
      const { messaging } = await context.node();
      assert.deepEqual(await readWell(context, start(messaging.requestSink(name))), ["one", "two"]);
    },
  },
  {
    id: "R-146",
    sentence:
      "a V4 server sends without credit; a reader who falls 2,048 responses behind fails the call with REJECTED and aborts it",
    needs: ["frames"],
    async run(context) {
      const name = context.name("v4-flood");
      let sent = 0;
      const own = service(context, async (served) => {
        for (; sent < 100_000; sent += 1) if (!(await respond(served, `r-${sent}`))) return;
        await aborted(served.context.signal);
      });
      await context.serve(await context.node(), name, own, { protocolVersion: "V4" });
      const { messaging } = await context.node();
      const stream = start(messaging.requestSink(name), "request", { window: 10 });
      await told(context, await own.calls.at(0));
      assert.ok(sent < 100_000, "a service that never pauses was not stopped");
      const { texts } = await readFailure(context, stream, "REJECTED");
      assert.equal(texts.length, 2_048);
      assert.equal(texts.at(-1), "r-2047");
    },
  },
  {
    id: "R-147",
    sentence: "a V4 server whose link is lost ends its calls with UNAVAILABLE: a gap would pass for a clean end",
    needs: ["frames"],
    async run(context) {
      const name = context.name("v4-link");
      const own = service(context, async (served) => {
        await respond(served, "one");
        await aborted(served.context.signal);
      });
      const node = tappedNode(context);
      await context.serve(node, name, own, { protocolVersion: "V4" });
      const { messaging } = await context.node();
      const stream = start(messaging.requestSink(name));
      await next(context, stream, 1);
      await node.loseConnections();
      await readFailure(context, stream, "UNAVAILABLE", context.recoveryMs);
      await told(context, await own.calls.at(0), context.recoveryMs);
    },
  },
];
