import { describe, expect, test } from "vitest";
import { decimalFromText, formatFixed, roundDecimal } from "./decimal.ts";
import type { FloatVerb } from "./float.ts";
import { doubleParts, formatFloat } from "./float.ts";

describe("formatFloat", () => {
  const cases: { name: string; input: number; verb: FloatVerb; precision?: number; want: string }[] = [
    { name: "gives the shortest text that reads back", input: 0.1, verb: "g", want: "0.1" },
    { name: "turns to an exponent at 21 digits only without g", input: 1e20, verb: "f", want: "100000000000000000000" },
    { name: "turns to an exponent past six digits in g", input: 1e6, verb: "g", want: "1e+06" },
    { name: "keeps all digits before the point in g", input: 123456, verb: "g", want: "123456" },
    { name: "gives an exponent to small numbers", input: 0.00001, verb: "g", want: "1e-05" },
    { name: "gives none to larger ones", input: 0.0001, verb: "g", want: "0.0001" },
    { name: "rounds half to even from the exact value", input: 2.5, verb: "f", precision: 0, want: "2" },
    { name: "rounds up what is just above a half", input: 9.995, verb: "f", precision: 2, want: "9.99" },
    { name: "carries into a new digit", input: 9.99, verb: "f", precision: 1, want: "10.0" },
    {
      name: "shows exact digits as far as asked",
      input: 0.1,
      verb: "f",
      precision: 20,
      want: "0.10000000000000000555",
    },
    { name: "writes the smallest double", input: 5e-324, verb: "e", want: "5e-324" },
    { name: "writes capital exponents", input: 1e21, verb: "G", want: "1E+21" },
    { name: "keeps negative zero", input: -0, verb: "f", precision: 1, want: "-0.0" },
    { name: "names infinities", input: -Infinity, verb: "e", want: "-Inf" },
    { name: "names what is no number", input: Number.NaN, verb: "E", want: "NaN" },
    { name: "cuts zeros in g with a precision", input: 100, verb: "g", precision: 5, want: "100" },
    { name: "rounds in g with a precision", input: 123456, verb: "g", precision: 3, want: "1.23e+05" },
  ];
  test.each(cases)("$name", ({ input, verb, precision, want }) => {
    expect(formatFloat(input, verb, precision)).toBe(want);
  });
});

test("doubleParts gives a double exactly", () => {
  for (const number of [1.5, -0.1, 5e-324, Number.MAX_VALUE, 3]) {
    const { mantissa, exponent } = doubleParts(number);
    expect(Number(mantissa) * 2 ** Math.max(exponent, -1000) * 2 ** Math.min(exponent + 1000, 0)).toBe(number);
  }
});

test("a decimal is rounded to nothing where the digits are too small", () => {
  expect(roundDecimal(decimalFromText("0.004"), 0)).toEqual({ negative: false, digits: "", point: 0 });
  expect(formatFixed(decimalFromText("0.006"), 2)).toBe("0.01");
  expect(formatFixed(decimalFromText("0.0006"), 2)).toBe("0.00");
});
