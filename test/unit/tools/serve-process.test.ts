import { describe, expect, it } from "vitest";
import { lacksBroker } from "../../../tools/process/serve-process.js";

const CANNOT = "fairlead: cannot use the broker amqp://127.0.0.1:1: connect: no success within 10000 ms";

describe("a server whose broker may be away", () => {
  it.each([
    [true, [`${CANNOT} (UNAVAILABLE)`]],
    [true, ["a warning", `${CANNOT} (TIMEOUT)`]],
    [false, [`${CANNOT} (PERMISSION_DENIED)`]],
    [false, ["fairlead ready listen=127.0.0.1:1", `${CANNOT} (UNAVAILABLE)`]],
    [false, ["Error: something else"]],
    [false, []],
  ])("starts again: %s, after %j", (expected, lines) => {
    expect(lacksBroker(lines)).toBe(expected);
  });
});
