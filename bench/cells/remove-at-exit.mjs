import { rmSync } from "node:fs";

const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/** Removes a directory when this process ends, by a signal too. The cells and a private broker end with it, however it ends. */
export function removeAtExit(/** @type {string} */ directory) {
  process.on("exit", () => {
    try {
      rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
    } catch (error) {
      // A cell may still be writing into it. That changes neither what was measured nor the exit code.
      process.stderr.write(`${directory} could not be removed: ${error.message}\n`);
    }
  });
  for (const [signal, code] of Object.entries(SIGNALS)) process.once(signal, () => process.exit(code));
}
