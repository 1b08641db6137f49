import type { Readable } from "node:stream";

/**
 * Lets a stream of messages that is paused hold one of them; by itself it goes on to fetch sixteen, of any size. There is no
 * option for it, since the library makes the stream.
 */
export function holdOneMessage(stream: Readable): void {
  const state: unknown = Reflect.get(stream, "_readableState");
  if (typeof state === "object" && state !== null) Reflect.set(state, "highWaterMark", 1);
}
