// What the server of the planted secrets serves.
import { MessagingError, sinkOf } from "fairlead";

export const sinks = {
  echo: sinkOf(async function* ({ body, headers }) {
    yield { body, headers };
  }),
  failing: sinkOf(async function* ({ headers }) {
    if ("x-missing" in headers) yield { body: null };
    throw new MessagingError("NOT_FOUND", "there are no such rows");
  }),
  crashing: {
    signal() {
      throw undefined;
    },
    abort() {
      throw new Error("abort failed");
    },
  },
  silent: { signal() {}, abort() {} },
};
