import { describe, expect, test } from "vitest";
import { formatDuration, hour, millisecond, parseDuration, second, toMilliseconds } from "./duration.ts";

describe("parseDuration", () => {
  const cases = [
    { input: "0", want: 0n },
    { input: "-0", want: 0n },
    { input: "1h0m0s", want: 3_600_000_000_000n },
    { input: "1.5h", want: 5_400_000_000_000n },
    { input: "300ms", want: 300_000_000n },
    { input: "-1.5h", want: -5_400_000_000_000n },
    { input: "+5s", want: 5_000_000_000n },
    { input: ".5s", want: 500_000_000n },
    { input: "1.s", want: 1_000_000_000n },
    { input: "1us1µs1μs1ns", want: 3001n },
    { input: "0.9223372036854775808h", want: 3_320_413_933_267n },
    { input: "1m1m", want: 120_000_000_000n },
    { input: "-9223372036854775808ns", want: -9223372036854775808n },
  ];
  test.each(cases)("reads $input", ({ input, want }) => {
    expect(parseDuration(input)).toEqual({ ok: true, duration: want });
  });

  const refused = [
    { input: "", want: 'time: invalid duration ""' },
    { input: "-", want: 'time: invalid duration "-"' },
    { input: ".s", want: 'time: invalid duration ".s"' },
    { input: "1", want: 'time: missing unit in duration "1"' },
    { input: "1h30", want: 'time: missing unit in duration "1h30"' },
    { input: "1d", want: 'time: unknown unit "d" in duration "1d"' },
    { input: "1 h", want: 'time: unknown unit " h" in duration "1 h"' },
    { input: "abc", want: 'time: invalid duration "abc"' },
    { input: "9223372036854775808ns", want: 'time: invalid duration "9223372036854775808ns"' },
    { input: "2562048h", want: 'time: invalid duration "2562048h"' },
    { input: '1é"', want: 'time: unknown unit "\\xc3\\xa9\\"" in duration "1\\xc3\\xa9\\""' },
  ];
  test.each(refused)("refuses '$input' in Go's words", ({ input, want }) => {
    expect(parseDuration(input)).toEqual({ ok: false, error: want });
  });
});

describe("formatDuration", () => {
  const cases = [
    { input: 0n, want: "0s" },
    { input: 1n, want: "1ns" },
    { input: 1100n, want: "1.1µs" },
    { input: 2_200_000n, want: "2.2ms" },
    { input: 3_300_000_000n, want: "3.3s" },
    { input: hour, want: "1h0m0s" },
    { input: 5n * 60n * second + 5_001_000_000n, want: "5m5.001s" },
    { input: -hour - 1n, want: "-1h0m0.000000001s" },
    { input: -(1n << 63n), want: "-2562047h47m16.854775808s" },
  ];
  test.each(cases)("writes $want", ({ input, want }) => {
    expect(formatDuration(input)).toBe(want);
    expect(parseDuration(want)).toEqual({ ok: true, duration: input });
  });
});

test("toMilliseconds cuts towards zero", () => {
  expect(toMilliseconds(1_999_999n)).toBe(1);
  expect(toMilliseconds(-millisecond - 1n)).toBe(-1);
});
