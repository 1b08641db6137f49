import { type CheckHealthOptions, checkHealth } from "../../adapters/grpc/index.js";
import { type ErrorCode, MessagingError } from "../errors/messaging-error.js";
import { EXIT_CODE, type ExitCode } from "./exit-code.js";
import { operatorFailure } from "./open-inspection.js";

/** What only a server that is there says: it has no such service, or was asked too often. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set(["NOT_FOUND", "REJECTED"]);

/** Asks once, and prints what the server says of itself. `isAnyAnswerGood`: a server that refuses to say is one, too. */
export async function health(
  { address, service, timeoutMs, ...security }: CheckHealthOptions,
  isAnyAnswerGood: boolean,
): Promise<ExitCode> {
  try {
    const status = await checkHealth({ address, service, timeoutMs, ...security });
    process.stdout.write(`${status}\n`);
    return status === "SERVING" || isAnyAnswerGood ? EXIT_CODE.ok : EXIT_CODE.failed;
  } catch (error) {
    if (isAnyAnswerGood && MessagingError.is(error) && REFUSALS.has(error.code)) {
      process.stdout.write(`${error.code}\n`);
      return EXIT_CODE.ok;
    }
    if (!MessagingError.is(error, "NOT_FOUND")) {
      throw operatorFailure(error, "ask for the health", { server: address, security }, address);
    }
    const text = `${address} has no service ${JSON.stringify(service)}`;
    throw new MessagingError("NOT_FOUND", text, { cause: error });
  }
}
