import type { Priority } from "../ports/message.js";
import type { DriverConsumer } from "./driver.js";

/** The most urgent first. */
export const LANES: readonly Priority[] = ["expedite", "standard", "bulk"];

/**
 * One consumer of all lanes of a queue, made of one for each: for drivers, when no lane is asked for. Lost with the first
 * of them.
 */
export async function consumeAllLanes(
  consumeLane: (lane: Priority, onLost: (error: unknown) => void) => Promise<DriverConsumer>,
  onLost: (error: unknown) => void,
): Promise<DriverConsumer> {
  let state: "starting" | "running" | "over" = "starting";
  let failure: { readonly error: unknown } | undefined;
  const consumers: DriverConsumer[] = [];
  const stopAll = async (): Promise<void> => {
    await Promise.all(consumers.map((consumer) => consumer.stop()));
  };
  const lose = (error: unknown): void => {
    failure ??= { error };
    if (state !== "running") return;
    state = "over";
    void stopAll();
    onLost(error);
  };

  const starts = await Promise.allSettled(LANES.map((lane) => consumeLane(lane, lose)));
  for (const start of starts) {
    if (start.status === "fulfilled") consumers.push(start.value);
    else failure ??= { error: start.reason };
  }
  if (failure !== undefined) {
    state = "over";
    await stopAll();
    throw failure.error;
  }
  state = "running";
  return {
    async setPrefetch(prefetch) {
      await Promise.all(consumers.map((consumer) => consumer.setPrefetch(prefetch)));
    },
    async stop() {
      state = "over";
      await stopAll();
    },
  };
}
