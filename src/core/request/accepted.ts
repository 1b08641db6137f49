/**
 * What `respond` returns when there is no wait. Shared, so that a response costs no promise, and so that whoever hands
 * responses on can see that there is nothing to wait for.
 */
export const ACCEPTED: Promise<boolean> = Promise.resolve(true);
export const OVER: Promise<boolean> = Promise.resolve(false);
