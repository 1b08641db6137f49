// A result of any size, a row at a time. Serve it: npx fairlead serve --sink examples/large-result.mjs
import { sinkOf } from "fairlead";

export const sinks = {
  "large-result": sinkOf(async function* ({ callId, body: { rows, delayMs = 0 } }) {
    console.error(`call ${callId}: ${rows} rows`);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    // Nothing is held back here: a yield waits until the reader has room for more.
    for (let row = 1; row <= rows; row += 1) yield { body: { row, text: `this is row ${row} of ${rows}` } };
  }),
};
