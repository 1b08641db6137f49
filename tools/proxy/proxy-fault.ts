/** Which end of a connection. */
export type ProxySide = "client" | "server";

export type ProxyFault =
  /** Both ends are reset. */
  | { readonly kind: "cut" }
  /** What this side sends stands still, and is not lost. Default: both sides'. */
  | { readonly kind: "stall"; readonly from?: ProxySide | undefined }
  /** What this side sends comes later, or at this rate at most. Default: both sides'. */
  | {
      readonly kind: "slow";
      readonly delayMs?: number | undefined;
      readonly bytesPerSecond?: number | undefined;
      readonly from?: ProxySide | undefined;
    }
  /** This side is reset. The other one is not told: what it sends is taken and goes nowhere. */
  | { readonly kind: "half-open"; readonly gone: ProxySide }
  /** This side is taken to have closed its direction: the other one reads the end, and may go on to send. */
  | { readonly kind: "half-closed"; readonly by: ProxySide };

/**
 * Sees all that one connection carries, in order; first an empty chunk, before anything. The number of bytes of this chunk that
 * may still pass when the trap is to spring; undefined while it is not.
 */
export type ProxyWatch = (from: ProxySide, chunk: Buffer) => number | undefined;

/** What becomes of connections, each once. */
export type ProxyTrap =
  /** Once the server has answered this many bytes. */
  | { readonly kind: "cut" | "stall"; readonly afterServerBytes: number }
  /** `watch` is called for each connection. */
  | { readonly fault: ProxyFault; readonly watch: () => ProxyWatch };

/** Springs before anything passes. */
export const atOnce = (): ProxyWatch => () => 0;

/** Springs before the first byte that is more than so many from this side. */
export function afterBytes(side: ProxySide, bytes: number): () => ProxyWatch {
  return () => {
    let left = bytes;
    return (from, chunk) => {
      if (from !== side) return undefined;
      if (chunk.length <= left) {
        left -= chunk.length;
        return undefined;
      }
      return left;
    };
  };
}
