import fc from "fast-check";
import { expect, test } from "vitest";
import { DueHeap } from "./due-heap.ts";

test("gives back what was put in by time, whatever the order", () => {
  const operation = fc.oneof(fc.record({ add: fc.integer({ min: 0, max: 50 }) }), fc.constant("take" as const));
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const heap = new DueHeap();
      let model: number[] = [];
      for (const [i, one] of operations.entries()) {
        if (one !== "take") {
          heap.add(one.add, String(i));
          model = [...model, one.add].sort((a, b) => a - b);
        } else expect(heap.take()?.time).toBe(model.shift());
        expect(heap.next).toBe(model[0]);
        expect(heap.size).toBe(model.length);
      }
    }),
    { numRuns: 300, seed: 7 },
  );
});
