const TICK_MS = 50;
/** A timer is always a little late. */
const USUAL_MS = 20;
/** What stands still for longer is not excused: the library under test runs in this process, too. */
const MOST_EXCUSED_MS = 3_000;

let lost = 0;
let lastTick = 0;
let timer: NodeJS.Timeout | undefined;

/** How long this process has not come to what was due, in all, from the first call on. */
export function lostMs(): number {
  const now = performance.now();
  if (timer === undefined) {
    lastTick = now;
    // Keeps nobody alive.
    timer = setInterval(tick, TICK_MS).unref();
  }
  return lost + lateMs(now);
}

/** By how much what was timed between two values of `lostMs` may have taken longer, since the machine was busy. */
export function excusedMs(before: number, after = lostMs(), mostMs = MOST_EXCUSED_MS): number {
  return Math.min(mostMs, after - before);
}

function tick(): void {
  const now = performance.now();
  lost += lateMs(now);
  lastTick = now;
}

function lateMs(now: number): number {
  const late = now - lastTick - TICK_MS;
  return late > USUAL_MS ? late : 0;
}
