import { expect } from "vitest";
import { type RabbitmqOptions, rabbitmqDriver } from "../../../adapters/rabbitmq/index.js";
import type { MessagingError } from "../../../src/index.js";

/** The error that connecting is refused with. Nothing may be told afterwards. */
export async function connectError(
  options: RabbitmqOptions,
  signal = AbortSignal.timeout(10_000),
): Promise<MessagingError> {
  const driver = rabbitmqDriver(options);
  const told: unknown[] = [];
  const tell = (what: unknown): void => void told.push(what);
  try {
    await (await driver.connect({ signal, onLost: tell, onBlocked: tell, onReturned: tell })).close();
  } catch (error) {
    expect(told).toEqual([]);
    return driver.toMessagingError(error);
  }
  throw new Error("it connected");
}
