/** One AMQP consumer of several on a channel: its prefetch is fixed when it starts. */
export interface ConsumerShare {
  readonly prefetch: number;
  /** Deliveries of it that are out. */
  out: number;
  /** Cancelled: nothing new comes, what is out stays ackable. */
  cancelled: boolean;
  consumerTag: string | undefined;
}

export type PrefetchStep =
  | { readonly kind: "add"; readonly prefetch: number }
  | { readonly kind: "cancel"; readonly shares: readonly ConsumerShare[] };

/** While they are fewer than this, room is used as soon as it is there: a lane's few slots are long in use, and none may idle. */
const EAGER_SHARES = 12;

/** Beyond this many, all are replaced by few: from the eager ones on they double, and so are never more than 26. */
const MAX_SHARES = 32;

/**
 * AMQP fixes the prefetch of a consumer when it starts. So the limit is a sum: of consumers that are added when it
 * grows and cancelled when it shrinks, and of what is still out of cancelled ones (`leftOver`). The next step towards
 * `target`, or undefined when there is nothing to do now.
 */
export function nextPrefetchStep(
  target: number,
  shares: readonly ConsumerShare[],
  leftOver: number,
): PrefetchStep | undefined {
  if (shares.length > MAX_SHARES) return { kind: "cancel", shares };
  const held = shares.reduce((sum, share) => sum + share.prefetch, 0);
  const free = target - held - leftOver;
  const [first, ...others] = shares;
  if (free < 0 && first !== undefined) {
    // The largest that fits into what is too much, otherwise the smallest.
    const fits = ({ prefetch }: ConsumerShare): boolean => prefetch <= -free;
    const chosen = others.reduce((best, share) => {
      if (fits(share) !== fits(best)) return fits(share) ? share : best;
      return share.prefetch > best.prefetch === fits(best) ? share : best;
    }, first);
    return { kind: "cancel", shares: [chosen] };
  }
  // While cancelled ones hold some, room comes back one by one: only doubling steps keep the consumers few.
  const isUsedNow = leftOver === 0 || shares.length < EAGER_SHARES || free >= held;
  if (free > 0 && isUsedNow) return { kind: "add", prefetch: free };
  return undefined;
}
