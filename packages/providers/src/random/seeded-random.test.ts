import { expect, test } from "vitest";
import { SeededRandom } from "./seeded-random.ts";

// What rand.New(rand.NewSource(crc64 of the seed)) gives in Go 1.26: Intn of 10, 64, 10^6 and 2^40, then Perm(7).
const cases = [
  { seed: "a", below: [2, 27, 788817, 513292873093], order: [1, 2, 6, 4, 0, 3, 5] },
  { seed: "seed", below: [6, 44, 651940, 157368710911], order: [4, 1, 6, 3, 2, 5, 0] },
  { seed: "12345", below: [3, 56, 114643, 395442807243], order: [3, 1, 6, 5, 4, 2, 0] },
  { seed: "millwright", below: [2, 48, 235356, 68636379262], order: [3, 2, 6, 1, 4, 5, 0] },
  { seed: "ü", below: [2, 59, 344584, 594163604025], order: [5, 0, 2, 6, 1, 3, 4] },
];

test.each(cases)("the seed $seed gives the numbers that it gives in Go", ({ seed, below, order }) => {
  const random = new SeededRandom(seed);
  expect([10, 64, 1_000_000, 2 ** 40].map((limit) => random.below(limit))).toEqual(below);
  expect(random.order(7)).toEqual(order);
});
