import { expect, test } from "vitest";
import { Room } from "../../../src/core/room.js";

test("bounds messages and bytes, and lets one message of any size in", () => {
  const room = new Room(2, 100);
  expect(room.tryEnter(1_000)).toBe(true);
  expect(room.tryEnter(1)).toBe(false);
  room.leave(1_000);
  expect([room.tryEnter(50), room.tryEnter(51)]).toEqual([true, false]);
  expect([room.tryEnter(50), room.tryEnter(0)]).toEqual([true, false]);
  room.leave(50);
  expect(room.tryEnter(50)).toBe(true);
});
