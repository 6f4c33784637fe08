import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bigFloat, bigFloatOfDouble, parseBigFloat } from "./number.ts";

describe("text", () => {
  const cases: { name: string; input: string; want: string | undefined }[] = [
    { name: "a small integer is itself", input: "42", want: "42" },
    { name: "leading zeros go", input: "007", want: "7" },
    { name: "trailing zeros of a fraction go", input: "1.500", want: "1.5" },
    { name: "a fraction may start with its point", input: ".5", want: "0.5" },
    { name: "a fraction may end with its point", input: "5.", want: "5" },
    { name: "a plus sign is read", input: "+5", want: "5" },
    { name: "an exponent is written out", input: "1e5", want: "100000" },
    { name: "a negative exponent is written out", input: "12E-4", want: "0.0012" },
    { name: "a binary exponent counts in twos", input: "1p3", want: "8" },
    { name: "negative zero keeps its sign", input: "-0", want: "-0" },
    { name: "a decimal fraction comes back as it was written", input: "0.1", want: "0.1" },
    { name: "2^53 + 1 is exact", input: "9007199254740993", want: "9007199254740993" },
    { name: "154 digits are kept", input: `1${"23456789".repeat(19)}`, want: `1${"23456789".repeat(19)}` },
    { name: "infinity is a number", input: "inf", want: "+Inf" },
    { name: "negative infinity too", input: "-Inf", want: "-Inf" },
    { name: "an exponent beyond all bounds is an infinity", input: "1e700000000", want: "+Inf" },
    { name: "an exponent below all bounds is zero", input: "1e-700000000", want: "0" },
    { name: "an exponent that no machine word holds is refused", input: "1e5000000000", want: undefined },
    { name: "nothing is no number", input: "", want: undefined },
    { name: "space is refused", input: " 1", want: undefined },
    { name: "hexadecimal is refused", input: "0x10", want: undefined },
    { name: "digit separators are refused", input: "1_000", want: undefined },
  ];
  test.each(cases)("$name", ({ input, want }) => {
    expect(parseBigFloat(input)?.toText()).toBe(want);
  });

  test("a number and its shortest text are one number", () => {
    const digits = fc.stringMatching(/^-?[0-9]{1,60}(\.[0-9]{1,180})?$/);
    fc.assert(
      fc.property(digits, fc.integer({ min: -300, max: 300 }), (text, exponent) => {
        const number = parseBigFloat(`${text}e${exponent}`)!;
        expect(parseBigFloat(number.toText())!.compare(number)).toBe(0);
      }),
      { seed: 1 },
    );
  });

  test("a double's text is JavaScript's", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e20, max: 1e20 }), (double) => {
        fc.pre(double === 0 || Math.abs(double) > 1e-6);
        expect(bigFloatOfDouble(double).toText()).toBe(Object.is(double, -0) ? "-0" : String(double));
      }),
      { seed: 2 },
    );
  });
});

describe("arithmetic, as terraform console prints it", () => {
  const third =
    "0.33333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333335";
  const cases: { name: string; input: [string, "+" | "-" | "*" | "/" | "%", string]; want: string | undefined }[] = [
    { name: "tenths add up", input: ["0.1", "+", "0.2"], want: "0.3" },
    { name: "a quotient has 154 digits", input: ["1", "/", "3"], want: third },
    { name: "a whole quotient is whole", input: ["6", "/", "3"], want: "2" },
    { name: "a remainder has the sign of the dividend", input: ["-5", "%", "3"], want: "-2" },
    { name: "whatever the divisor's sign", input: ["5", "%", "-3"], want: "2" },
    { name: "a remainder may be a fraction", input: ["5.5", "%", "2"], want: "1.5" },
    { name: "a remainder by zero is the dividend", input: ["5", "%", "0"], want: "5" },
    { name: "beyond 2^53 nothing is lost", input: ["9007199254740991", "+", "2"], want: "9007199254740993" },
    { name: "large factors", input: ["123456789012345678", "*", "1000000007"], want: "123456789876543201086419746" },
    { name: "a tiny part of a sum is rounded off", input: ["1", "+", "1e-400"], want: "1" },
    { name: "division by zero is infinite", input: ["-1", "/", "0"], want: "-Inf" },
    { name: "zero by zero has no result", input: ["0", "/", "0"], want: undefined },
    { name: "infinity less infinity has no result", input: ["inf", "-", "inf"], want: undefined },
    { name: "infinity by zero has no result", input: ["inf", "*", "0"], want: undefined },
    { name: "zero by infinity is zero", input: ["1", "/", "-inf"], want: "-0" },
  ];
  test.each(cases)("$name", ({ input: [left, operator, right], want }) => {
    const a = bigFloat(left);
    const b = bigFloat(right);
    const results = {
      "+": () => a.add(b),
      "-": () => a.subtract(b),
      "*": () => a.multiply(b),
      "/": () => a.divide(b),
      "%": () => a.modulo(b),
    };
    expect(results[operator]()?.toText()).toBe(want);
  });

  test("the larger precision of two operands decides how much of a quotient is kept", () => {
    expect(bigFloat(1).divide(bigFloat(3))!.toText()).toBe("0.33333333333333333334");
    expect(bigFloatOfDouble(1).divide(bigFloatOfDouble(3))!.toText()).toBe("0.3333333333333333");
    expect(bigFloatOfDouble(Math.SQRT2).multiply(bigFloat("1"))!.toText()).toBe(
      "1.4142135623730951454746218587388284504413604736328125",
    );
  });

  test("a product has as many bits as it needs", () => {
    const odd = 2n ** 60n + 1n;
    expect(bigFloat(odd).multiply(bigFloat(odd))!.toBigInt()).toBe(odd * odd);
  });

  test("integers behave as BigInts do", () => {
    const integer = fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n });
    fc.assert(
      fc.property(integer, integer, (x, y) => {
        const a = bigFloat(String(x));
        const b = bigFloat(String(y));
        expect(a.add(b)!.toBigInt()).toBe(x + y);
        expect(a.subtract(b)!.toBigInt()).toBe(x - y);
        expect(a.multiply(b)!.toBigInt()).toBe(x * y);
        if (y !== 0n) expect(a.modulo(b)!.toBigInt()).toBe(x % y);
        expect(Math.sign(a.compare(b))).toBe(x < y ? -1 : x > y ? 1 : 0);
      }),
      { seed: 3 },
    );
  });
});

describe("other forms", () => {
  test("a double goes there and back, the smallest ones too", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (double) => {
        expect(Object.is(bigFloatOfDouble(double).toNumber(), double)).toBe(true);
      }),
      { seed: 4 },
    );
  });

  test("the nearest double is found from more digits than it has", () => {
    for (const text of ["0.1", "1e-310", "4.9e-324", "2e-324", "9007199254740993", "1.7976931348623158e308", "1e400"]) {
      expect(parseBigFloat(text)!.toNumber()).toBe(Number(text));
    }
  });

  test("only whole numbers within 64 bits are 64-bit integers", () => {
    expect(bigFloat("9223372036854775807").toInt64()).toBe(9223372036854775807n);
    expect(bigFloat("-9223372036854775808").toInt64()).toBe(-9223372036854775808n);
    expect(bigFloat("9223372036854775808").toInt64()).toBeUndefined();
    expect(bigFloat("1.5").toInt64()).toBeUndefined();
  });

  test("one tenth is one tenth at any precision, though one is larger", () => {
    expect(bigFloat("0.1").equals(bigFloatOfDouble(0.1))).toBe(true);
    expect(bigFloat("0.1").compare(bigFloatOfDouble(0.1))).toBeLessThan(0);
    expect(bigFloat("0.1").equals(bigFloat("0.10000000000000001"))).toBe(false);
  });

  test("ten digits at most are kept where a short text is asked for", () => {
    const short = (text: string) => bigFloat(text).toRoundedText(10);
    expect(["12345678901", "1234567890", "0.00001", "0.12345678905", "1e100", "-1.5"].map(short)).toEqual([
      "1.23456789e+10",
      "1234567890",
      "1e-05",
      "0.123456789",
      "1e+100",
      "-1.5",
    ]);
  });
});
