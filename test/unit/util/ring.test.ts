import fc from "fast-check";
import { expect, test } from "vitest";
import { Ring } from "../../../src/util/ring.js";

test("a ring behaves as an array, however it is pushed, unshifted, shifted and taken from", () => {
  const operation = fc.oneof(
    fc.record({ kind: fc.constant("push" as const), times: fc.nat(40) }),
    fc.record({ kind: fc.constant("unshift" as const), times: fc.nat(5) }),
    fc.record({ kind: fc.constant("shift" as const), times: fc.nat(40) }),
    fc.record({ kind: fc.constant("remove" as const), times: fc.nat(5) }),
  );
  fc.assert(
    fc.property(fc.array(operation), (operations) => {
      const ring = new Ring<number>();
      const model: number[] = [];
      let next = 0;
      for (const { kind, times } of operations) {
        for (let index = 0; index < times; index += 1) {
          next += 1;
          if (kind === "push") {
            ring.push(next);
            model.push(next);
          } else if (kind === "unshift") {
            ring.unshift(next);
            model.unshift(next);
          } else if (kind === "remove") {
            const value = model[(index * 7) % Math.max(1, model.length)] ?? -1;
            expect(ring.remove(value)).toBe(model.includes(value));
            if (model.includes(value)) model.splice(model.indexOf(value), 1);
            expect(ring.remove(-1)).toBe(false);
          } else {
            expect(ring.shift()).toBe(model.shift());
          }
        }
        expect(ring.size).toBe(model.length);
        expect(ring.peek()).toBe(model[0]);
      }
      expect([...ring]).toEqual(model);
    }),
  );
});

test("a ring gives the room of a burst back and keeps what is left", () => {
  const ring = new Ring<number>();
  for (let value = 0; value < 100_000; value += 1) ring.push(value);
  for (let value = 0; value < 99_990; value += 1) expect(ring.shift()).toBe(value);
  expect([...ring]).toEqual([99_990, 99_991, 99_992, 99_993, 99_994, 99_995, 99_996, 99_997, 99_998, 99_999]);
  ring.clear();
  expect(ring.shift()).toBeUndefined();
});
