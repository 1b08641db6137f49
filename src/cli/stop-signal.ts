import { setMaxListeners } from "node:events";
import { EXIT_CODE } from "./exit-code.js";

export interface StopSignal {
  /** Aborts at the first SIGINT or SIGTERM. A second one ends the process at once. */
  readonly signal: AbortSignal;
  dispose(): void;
}

const NAMES = ["SIGINT", "SIGTERM"] as const;
/** One Ctrl-C under npm comes twice: from the terminal and from npm. */
const SAME_PRESS_MS = 300;

export function onStopSignal(): StopSignal {
  const stop = new AbortController();
  // Every call that is under way listens; each takes its listener away.
  setMaxListeners(0, stop.signal);
  let firstAt = 0;
  const onSignal = (): void => {
    if (!stop.signal.aborted) {
      firstAt = performance.now();
      stop.abort();
    } else if (performance.now() - firstAt > SAME_PRESS_MS) {
      process.exit(EXIT_CODE.interrupted);
    }
  };
  for (const name of NAMES) process.on(name, onSignal);
  return {
    signal: stop.signal,
    dispose() {
      for (const name of NAMES) process.off(name, onSignal);
    },
  };
}
