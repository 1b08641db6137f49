import fc from "fast-check";
import { expect, test } from "vitest";
import { Chain, type Chained } from "../../../src/util/chain.js";

class Item implements Chained<Item> {
  before: Item | undefined = undefined;
  after: Item | undefined = undefined;
}

test("holds what was added and not removed, in the order in which it came", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 9 }))), (steps) => {
      const items = Array.from({ length: 10 }, () => new Item());
      const chain = new Chain<Item>();
      const model = new Set<Item>();
      for (const [adds, index] of steps) {
        const item = items[index] as Item;
        if (adds && !model.has(item)) {
          chain.add(item);
          model.add(item);
        } else {
          expect(chain.remove(item)).toBe(model.delete(item));
        }
        expect(chain.all()).toEqual([...model]);
        expect([chain.size, chain.first]).toEqual([model.size, [...model][0]]);
      }
    }),
  );
});

test("what has left points at none of the others", () => {
  const [first, second] = [new Item(), new Item()];
  const chain = new Chain<Item>();
  chain.add(first);
  chain.add(second);
  chain.remove(first);
  expect([first.before, first.after, second.before]).toEqual([undefined, undefined, undefined]);
});
