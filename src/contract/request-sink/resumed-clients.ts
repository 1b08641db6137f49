import assert from "node:assert";
import { FRAME, FRAME_HEADER, type WireMessage } from "../../driver/index.js";
import type { ContractCase } from "../case.js";
import { Stopwatch } from "../stopwatch.js";
import { text } from "../text.js";
import { next, readFailure, readWell, start } from "./steps.js";
import { tappedNode } from "./tapped-node.js";
import { firstSignal, numberOf, type WireServer, wireServer } from "./wire-peers.js";

function resumesIn({ heard }: WireServer): readonly WireMessage[] {
  return heard.items.filter(({ type }) => type === FRAME.resume);
}

/** A frame as the server sends it after this Resume. */
function stamped(number: number, headers: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return { ...headers, [FRAME_HEADER.resume]: String(number) };
}

async function answer(server: WireServer, to: WireMessage, number: number): Promise<void> {
  await server.send(to, { type: FRAME.keepAlive, headers: stamped(number, { [FRAME_HEADER.extendMs]: "0" }) });
}

function respondAgain(server: WireServer, to: WireMessage, number: number, sequence: number): Promise<void> {
  const headers = stamped(number, { [FRAME_HEADER.sequence]: String(sequence) });
  return server.send(to, { type: FRAME.response, headers, body: `r-${sequence}` });
}

function finishAgain(server: WireServer, to: WireMessage, number: number, total: number): Promise<void> {
  return server.send(to, {
    type: FRAME.end,
    headers: stamped(number, { [FRAME_HEADER.totalResponses]: String(total) }),
  });
}

/** What a client does when something is missing, and with what comes meanwhile. */
export const resumedClientCases: readonly ContractCase[] = [
  {
    id: "R-231",
    sentence:
      "a gap is asked for once, of that node only, and while nobody answers everything else of the call is ignored",
    needs: ["frames"],
    async run(context) {
      const name = context.name("gap");
      const server = await wireServer(context, name);
      const other = await wireServer(context, name, { settles: false });
      const stream = start((await context.node()).messaging.requestSink(name));
      await context.until(
        () => server.signals.items.length + other.signals.items.length === 1,
        () => "the request",
      );
      const [own, idle] = server.signals.items.length === 1 ? [server, other] : [other, server];
      const signal = await firstSignal(own);
      await own.respond(signal, 1, "r-1");
      await own.alive(signal, 60_000, [signal.correlationId ?? "", 1, false]);
      await own.respond(signal, 3, "r-3");
      await own.heard.find(({ type }) => type === FRAME.resume, "a Resume");
      await own.respond(signal, 2, "too early");
      await own.respond(signal, 4, "r-4");
      await own.finish(signal, 2);
      await context.window(50, "a second Resume has come by then");
      const [resume, ...more] = resumesIn(own);
      assert.deepEqual(more, []);
      assert.equal(numberOf(resume, FRAME_HEADER.received), 1);
      assert.equal(numberOf(resume, FRAME_HEADER.resume), 1);
      assert.equal(resume?.headers[FRAME_HEADER.inbox], signal.replyTo);
      await answer(own, signal, 1);
      for (const sequence of [2, 3, 4]) await respondAgain(own, signal, 1, sequence);
      await finishAgain(own, signal, 1, 4);
      assert.deepEqual(await readWell(context, stream), ["r-1", "r-2", "r-3", "r-4"]);
      assert.deepEqual(resumesIn(idle), []);
    },
  },
  {
    id: "R-232",
    sentence: "a gap that is there still after its Resume was answered fails the call with DATA_LOSS, and aborts it",
    needs: ["frames"],
    async run(context) {
      const name = context.name("gap-lasts");
      const server = await wireServer(context, name);
      const stream = start((await context.node()).messaging.requestSink(name));
      const signal = await firstSignal(server);
      await server.respond(signal, 1, "r-1");
      await server.respond(signal, 3, "r-3");
      await server.heard.find(({ type }) => type === FRAME.resume, "a Resume");
      await answer(server, signal, 1);
      await respondAgain(server, signal, 1, 3);
      assert.deepEqual((await readFailure(context, stream, "DATA_LOSS")).texts, ["r-1"]);
      await server.heard.find(({ type }) => type === FRAME.abort, "an Abort");
      assert.equal(new Set(resumesIn(server).map((frame) => frame.headers[FRAME_HEADER.resume])).size, 1);
    },
  },
  {
    id: "R-233",
    sentence: "a Resume is repeated every half interval until it is answered, and not after",
    needs: ["frames"],
    async run(context) {
      const name = context.name("repeats");
      const intervalMs = context.unhurried(300);
      const server = await wireServer(context, name);
      const stream = start((await context.node()).messaging.requestSink(name));
      const signal = await firstSignal(server);
      await server.respond(signal, 1, "r-1");
      await server.alive(signal, intervalMs, [signal.correlationId ?? "", 1, false]);
      await server.respond(signal, 3, "r-3");
      const watch = new Stopwatch();
      await context.until(
        () => resumesIn(server).length === 3,
        () => `three Resumes; ${server.heard}`,
      );
      const { ms, undisturbedMs } = watch;
      assert.ok(ms >= intervalMs - 60 && undisturbedMs < 3 * intervalMs, `three within ${Math.round(ms)} ms`);
      await answer(server, signal, 1);
      await server.alive(signal, intervalMs, [signal.correlationId ?? "", 1, false]);
      await context.window(intervalMs - 50, "another has come by then");
      assert.equal(resumesIn(server).length, 3);
      for (const sequence of [2, 3]) await respondAgain(server, signal, 1, sequence);
      await finishAgain(server, signal, 1, 3);
      assert.deepEqual(await readWell(context, stream), ["r-1", "r-2", "r-3"]);
    },
  },
  {
    id: "R-234",
    sentence:
      "a Resume that nobody answers fails the call: after a gap in three intervals with DATA_LOSS, after a lost inbox with UNAVAILABLE, once the server has had 6 s to come back",
    needs: ["frames"],
    async run(context) {
      const name = context.name("nobody");
      const server = await wireServer(context, name);
      const client = tappedNode(context);
      const sink = client.messaging.requestSink(name);
      const answered = async (purpose: string, index: number) => {
        const stream = start(sink, purpose);
        const { message } = await server.signals.at(index);
        await server.respond(message, 1, "r-1");
        await server.alive(message, context.unhurried(150), [message.correlationId ?? "", 1, false]);
        await next(context, stream, 1);
        return { stream, message };
      };
      const gap = await answered("gap", 0);
      await server.respond(gap.message, 3, "r-3");
      await readFailure(context, gap.stream, "DATA_LOSS");
      const { stream: lost } = await answered("lost", 1);
      await client.loseInboxes();
      const since = performance.now();
      await readFailure(context, lost, "UNAVAILABLE", 6_000);
      const ms = performance.now() - since;
      assert.ok(ms >= 5_900, `given up after ${Math.round(ms)} ms`);
    },
  },
  {
    id: "R-235",
    sentence:
      "an end that tells of more responses than have come, and an Alive that names a call as over, are gaps, too",
    needs: ["frames"],
    async run(context) {
      const name = context.name("ends");
      const server = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      for (const index of [0, 1]) {
        const stream = start(sink);
        const signal = await firstSignal(server, index);
        const call = signal.correlationId ?? "";
        await server.respond(signal, 1, "r-1");
        if (index === 0) await server.finish(signal, 2);
        else await server.aliveOver(signal, 60_000, call, 1);
        const isIts = (frame: WireMessage): boolean => frame.type === FRAME.resume && frame.correlationId === call;
        assert.equal(numberOf(await server.heard.find(isIts, "a Resume"), FRAME_HEADER.received), 1);
        await answer(server, signal, 1);
        if (index === 0) await respondAgain(server, signal, 1, 2);
        await finishAgain(server, signal, 1, 2 - index);
        assert.deepEqual(await readWell(context, stream), index === 0 ? ["r-1", "r-2"] : ["r-1"]);
      }
    },
  },
  {
    id: "R-236",
    sentence:
      "a client tells the node soon that it has the ends of its calls, many at once, and again when an Alive names one as over",
    needs: ["frames"],
    async run(context) {
      const name = context.name("closing");
      const server = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const streams = ["one", "two", "three"].map((body) => start(sink, body));
      const signals = (await server.signals.count(3)).map(({ message }) => message);
      for (const signal of signals) await server.finish(signal, 0);
      for (const stream of streams) assert.deepEqual(await readWell(context, stream), []);
      const marks = (): readonly WireMessage[] =>
        server.heard.items.filter(({ headers }) => headers[FRAME_HEADER.closing] === "true");
      const closed = (): string[] => marks().flatMap(({ body }) => JSON.parse(text(body)) as string[]);
      await context.until(
        () => closed().length === 3,
        () => `three ends to be counted; ${server.heard}`,
      );
      assert.deepEqual(closed().sort(), signals.map(({ correlationId }) => correlationId).sort());
      const [first] = signals;
      assert.ok(first !== undefined && marks().length <= 3);
      await server.aliveOver(first, 60_000, first.correlationId ?? "", 0);
      await context.until(
        () => closed().length === 4,
        () => `the first to be counted again; ${server.heard}`,
      );
      assert.deepEqual(
        server.heard.items.filter(({ type }) => type === FRAME.abort),
        [],
        "it was aborted",
      );
    },
  },
  {
    id: "R-237",
    sentence:
      "a Resume is for the node that was asked: another that answers an idempotent call, which nobody had answered, is listened to",
    needs: ["frames"],
    async run(context) {
      const name = context.name("another");
      const one = await wireServer(context, name);
      const stream = start(await context.sink(name), "request", { idempotent: true });
      const signal = await firstSignal(one);
      const other = await wireServer(context, name);
      await one.alive(signal, 60_000, [signal.correlationId ?? "", 1, false]);
      await one.heard.find(({ type }) => type === FRAME.resume, "a Resume");
      await other.respond(signal, 1, "r-1");
      await other.respond(signal, 3, "r-3");
      const resume = await other.heard.find(({ type }) => type === FRAME.resume, "a Resume to the other");
      const number = numberOf(resume, FRAME_HEADER.resume) ?? 0;
      await answer(other, signal, number);
      await respondAgain(other, signal, number, 2);
      await finishAgain(other, signal, number, 2);
      assert.deepEqual(await readWell(context, stream), ["r-1", "r-2"]);
    },
  },
  {
    id: "R-238",
    sentence: "a gap whose Resume was lost with the inbox is asked for again in the next",
    needs: ["frames"],
    async run(context) {
      const name = context.name("gap-and-inbox");
      const server = await wireServer(context, name);
      const client = tappedNode(context);
      const stream = start(client.messaging.requestSink(name), "request");
      const signal = await firstSignal(server);
      await server.respond(signal, 1, "r-1");
      await next(context, stream, 1);
      await server.respond(signal, 3, "r-3");
      await server.heard.find(({ type }) => type === FRAME.resume, "a Resume for the gap");
      await client.loseInboxes();
      const isNumber = (number: number) => (frame: WireMessage) =>
        frame.type === FRAME.resume && numberOf(frame, FRAME_HEADER.resume) === number;
      const { headers } = await server.heard.find(isNumber(2), "a Resume in the next inbox");
      const moved = { ...signal, replyTo: headers[FRAME_HEADER.inbox] };
      await answer(server, moved, 2);
      await respondAgain(server, moved, 2, 3);
      await server.heard.find(isNumber(3), "a Resume for the gap, which is there still");
      await answer(server, moved, 3);
      await respondAgain(server, moved, 3, 2);
      await finishAgain(server, moved, 3, 2);
      assert.deepEqual(await readWell(context, stream), ["r-2"]);
    },
  },
];
