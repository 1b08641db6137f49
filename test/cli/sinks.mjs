// What the tests let `fairlead serve --sink` serve.
import { bytesCodec, sinkOf } from "fairlead";

export const sinks = {
  echo: sinkOf(async function* ({ body, headers }) {
    yield { body, headers };
  }),
  bytes: sinkOf(async function* ({ body, contentType }) {
    yield { body: Buffer.from("\u0000\u00ff", "latin1"), contentType: "image/png" };
    yield { body: Buffer.from("two\nlines"), contentType: "text/plain; charset=utf-8" };
    yield { body: Buffer.from('{\n  "large": 12345678901234567890\n}'), contentType: "application/json" };
    yield { body, contentType };
  }),
  endless: sinkOf(async function* (_request, { signal }) {
    signal.addEventListener("abort", () => console.error(`endless: ${signal.reason.code}`), { once: true });
    for (let number = 1; ; number += 1) yield { body: number };
  }),
};

export const options = { bytes: { codec: bytesCodec } };
