import { describe, expect, test } from "vitest";
import { age, bytes, keyValues, momentAt, momentOf, table, when } from "./format.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

describe("an age", () => {
  const cases = [
    { milliseconds: 0, want: "0s ago" },
    { milliseconds: 999, want: "0s ago" },
    { milliseconds: 59 * second, want: "59s ago" },
    { milliseconds: minute + 32 * second, want: "1m32s ago" },
    { milliseconds: 2 * hour + 5 * minute + 59 * second, want: "2h5m ago" },
    { milliseconds: 3 * day + 5 * second, want: "3d ago" },
    { milliseconds: 45 * day, want: "1mo15d ago" },
    { milliseconds: 400 * day, want: "1y1mo ago" },
    { milliseconds: -90 * second, want: "1m30s from now" },
    // The clocks of two machines differ a little.
    { milliseconds: -200, want: "0s ago" },
  ];
  test.each(cases)("of $milliseconds ms is $want", ({ milliseconds, want }) => {
    expect(age(10 * 366 * day - milliseconds, 10 * 366 * day)).toBe(want);
  });

  test("is a moment where everything is wanted, and nothing for no time", () => {
    const at = BigInt(Date.parse("2016-11-17T12:00:00Z")) * 1_000_000n + 5n;
    expect(when(at, { verbose: true, now: 0 })).toBe("2016-11-17T12:00:00Z");
    expect(when(0n, { verbose: true, now: 0 })).toBe("");
  });
});

describe("a moment is that of a time zone", () => {
  const cases = [
    { east: 0, want: "2016-11-17T12:00:00Z" },
    { east: 660, want: "2016-11-17T23:00:00+11:00" },
    { east: -210, want: "2016-11-17T08:30:00-03:30" },
    { east: 345, want: "2016-11-17T17:45:00+05:45" },
  ];
  test.each(cases)("$east minutes before UTC", ({ east, want }) => {
    expect(momentAt(Date.parse("2016-11-17T12:00:00.999Z"), east)).toBe(want);
  });

  test("and none for the year 1, which Go writes for no time", () => {
    expect(momentOf("0001-01-01T00:00:00Z")).toBe("N/A");
    expect(momentOf("", "never")).toBe("never");
  });
});

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1.0 KiB"],
  [2500, "2.4 KiB"],
  [10 * 1024, "10 KiB"],
  [1024 * 1024 - 1, "1.0 MiB"],
  [256 * 1024 * 1024, "256 MiB"],
  [2 * 1024 ** 3, "2.0 GiB"],
])("%d bytes are %s", (count, want) => {
  expect(bytes(count)).toBe(want);
});

test("what is empty is <none>, and lines have no spaces at their ends", () => {
  expect(
    keyValues([
      ["ID", "a"],
      ["Description", ""],
    ]),
  ).toBe("ID          = a\nDescription = <none>\n");
  expect(table(["ID", "Class"], [["a", ""]])).toBe("ID  Class\na   <none>\n");
});
