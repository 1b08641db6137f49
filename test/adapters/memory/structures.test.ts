import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Heap } from "../../../adapters/memory/heap.js";
import { Lane } from "../../../adapters/memory/lane.js";
import { StoredMessage } from "../../../adapters/memory/stored-message.js";
import { message } from "./node.js";

describe("Heap", () => {
  it("gives the least first, whatever is taken out of its middle, and tells each item its place", () => {
    const run = fc.array(fc.oneof(fc.record({ push: fc.integer() }), fc.record({ remove: fc.nat() })), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(run, (steps) => {
        interface Item {
          readonly key: number;
          index: number;
        }
        const heap = new Heap<Item>(
          (a, b) => a.key < b.key,
          (item, index) => {
            item.index = index;
          },
        );
        const present = new Set<Item>();
        for (const next of steps) {
          if ("push" in next) {
            const item = { key: next.push, index: -1 };
            present.add(item);
            heap.push(item);
          } else if (present.size > 0) {
            const item = [...present][next.remove % present.size] as Item;
            expect(heap.removeAt(item.index)).toBe(item);
            expect(item.index).toBe(-1);
            present.delete(item);
          }
          expect(new Set([...present].map(({ index }) => index)).size).toBe(present.size);
        }
        const keys: number[] = [];
        for (let item = heap.pop(); item !== undefined; item = heap.pop()) keys.push(item.key);
        expect(keys).toEqual([...present].map(({ key }) => key).sort((a, b) => a - b));
      }),
    );
  });
});

describe("Lane", () => {
  it("keeps the order through takes, returns and departures", () => {
    const run = fc.array(fc.tuple(fc.constantFrom("push", "push", "take", "giveBack", "leave"), fc.nat()), {
      maxLength: 400,
    });
    fc.assert(
      fc.property(run, (steps) => {
        const lane = new Lane();
        let sequence = 0;
        let ready: StoredMessage[] = [];
        const out: StoredMessage[] = [];
        for (const [what, pick] of steps) {
          if (what === "push") {
            const stored = new StoredMessage(message(`${sequence}`), 1, 1, undefined);
            stored.sequence = sequence;
            sequence += 1;
            ready.push(stored);
            lane.push(stored);
          } else if (what === "take") {
            const taken = lane.take();
            expect(taken).toBe(ready.shift());
            if (taken !== undefined) {
              taken.place = "out";
              out.push(taken);
            }
          } else if (what === "giveBack") {
            const back = out.splice(pick % Math.max(1, out.length), 1)[0];
            if (back !== undefined) {
              lane.giveBack(back);
              ready = [...ready, back].sort((a, b) => a.sequence - b.sequence);
            }
          } else {
            const gone = ready.splice(pick % Math.max(1, ready.length), 1)[0];
            if (gone !== undefined) lane.leave(gone);
          }
          expect(lane.size).toBe(ready.length);
        }
        expect(lane.clear().length).toBe(ready.length);
      }),
    );
  });

  it("does not keep the places of the gone", () => {
    const lane = new Lane();
    const all = Array.from({ length: 10_000 }, (_, index) => {
      const stored = new StoredMessage(message(`${index}`), 1, 1, undefined);
      stored.sequence = index;
      lane.push(stored);
      return stored;
    });
    for (const stored of all.slice(1)) lane.leave(stored);
    expect(lane.size).toBe(1);
    expect(all.slice(1).every((stored) => stored.message.messageId === "")).toBe(true);
    expect(lane.take()).toBe(all[0]);
    expect(lane.take()).toBeUndefined();
  });
});
