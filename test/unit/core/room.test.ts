import { expect, test } from "vitest";
import { Limit } from "../../../src/core/limit.js";
import { Room } from "../../../src/core/room.js";
import { VirtualClock } from "../../support/virtual-clock.js";

function limitOf(clock: VirtualClock, timeoutMs?: number, signal?: AbortSignal): Limit {
  return new Limit({ clock, what: "enter", timeoutMs, signal });
}

test("bounds messages and bytes, and lets one message of any size in", () => {
  const room = new Room(2, 100);
  expect(room.tryEnter(1_000)).toBe(true);
  expect(room.tryEnter(1)).toBe(false);
  room.leave(1_000);
  expect([room.tryEnter(50), room.tryEnter(50), room.tryEnter(0)]).toEqual([true, true, false]);
});

test("lets those who wait in by turns, as room comes free", async () => {
  const clock = new VirtualClock();
  const room = new Room(1, 100);
  expect(room.tryEnter(1)).toBe(true);
  const order: number[] = [];
  const entries = [1, 2, 3].map(async (number) => {
    await room.enter(1, limitOf(clock));
    order.push(number);
  });
  expect(room.tryEnter(1)).toBe(false);
  for (const _ of entries) {
    room.leave(1);
    await clock.settle();
  }
  await Promise.all(entries);
  expect(order).toEqual([1, 2, 3]);
  room.leave(1);
  await room.empty();
  expect(room.size).toBe(0);
});

test("forgets who gave up, and takes back the room of one who gave up in the moment of entering", async () => {
  const clock = new VirtualClock();
  const room = new Room(1, 100);
  expect(room.tryEnter(1)).toBe(true);
  const gaveUp = room.enter(1, limitOf(clock, 10));
  gaveUp.catch(() => undefined);
  await clock.pass(10);
  await expect(gaveUp).rejects.toMatchObject({ code: "UNAVAILABLE" });

  const abort = new AbortController();
  const unlucky = room.enter(1, limitOf(clock, undefined, abort.signal));
  unlucky.catch(() => undefined);
  room.leave(1);
  abort.abort();
  await expect(unlucky).rejects.toMatchObject({ code: "ABORTED" });
  await room.empty();
  expect(room.tryEnter(1)).toBe(true);
});
