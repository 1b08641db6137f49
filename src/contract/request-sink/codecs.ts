import assert from "node:assert";
import { type Codec, call, jsonCodec, MessagingError, type RequestMessage, sinkOf } from "../../index.js";
import type { ContractCase } from "../case.js";
import { aborted } from "../queue/steps.js";
import { bytes, text } from "../text.js";
import { echo, goesOn, LONG_MS, open, readFailure, readWell, request, start } from "./steps.js";

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

/** What bodies mean. */
export const codecCases: readonly ContractCase[] = [
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
