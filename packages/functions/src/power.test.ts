import fc from "fast-check";
import { expect, test } from "vitest";
import { power } from "./power.ts";

test("a power is what exact arithmetic says, where a double holds it", () => {
  const property = fc.property(fc.integer({ min: -50, max: 50 }), fc.nat(40), (base, exponent) => {
    const exact = BigInt(base) ** BigInt(exponent);
    fc.pre(exact <= 2n ** 53n && exact >= -(2n ** 53n));
    expect(power(base, exponent)).toBe(Number(exact));
  });
  fc.assert(property, { seed: 20_261_121, numRuns: 500 });
});

test("a power is near to what JavaScript makes of it", () => {
  const numbers = fc.double({ min: 0.01, max: 100, noNaN: true });
  const property = fc.property(numbers, fc.double({ min: -20, max: 20, noNaN: true }), (base, exponent) => {
    expect(power(base, exponent) / base ** exponent).toBeCloseTo(1, 12);
  });
  fc.assert(property, { seed: 20_261_121, numRuns: 500 });
});

test.each([
  { base: 0, exponent: -1, want: Infinity },
  { base: 2, exponent: 1024, want: Infinity },
  { base: -2, exponent: 1025, want: -Infinity },
  { base: 2, exponent: -1074, want: 5e-324 },
  { base: 2, exponent: -1075, want: 0 },
  { base: 5e-324, exponent: 1, want: 5e-324 },
  { base: -8, exponent: 1 / 3, want: Number.NaN },
  { base: 1.5, exponent: 1e300, want: Infinity },
  { base: 0.5, exponent: 1e300, want: 0 },
  { base: -1, exponent: 1e300, want: 1 },
  { base: 9, exponent: 0.5, want: 3 },
  { base: 4, exponent: -0.5, want: 0.5 },
])("$base to the power of $exponent is $want", ({ base, exponent, want }) => {
  expect(power(base, exponent)).toBe(want);
});
