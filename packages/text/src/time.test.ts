import { describe, expect, test } from "vitest";
import { hour } from "./duration.ts";
import type { Timestamp } from "./time.ts";
import { addDuration, civilTime, formatRfc3339, formatRfc3339Nano, parseRfc3339 } from "./time.ts";

function timestamp(text: string): Timestamp {
  const parsed = parseRfc3339(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.timestamp;
}

describe("parseRfc3339", () => {
  const cases = [
    { input: "1970-01-01T00:00:00Z", nanoseconds: 0n, offset: 0 },
    { input: "1970-01-01T01:00:00+01:00", nanoseconds: 0n, offset: 3600 },
    { input: "1969-12-31T23:59:59.999999999Z", nanoseconds: -1n, offset: 0 },
    { input: "2024-02-29T00:00:00.5-11:15", nanoseconds: 1709205300500000000n, offset: -40500 },
    { input: "2020-01-01T3:04:05Z", nanoseconds: 1577847845000000000n, offset: 0 },
    { input: "2020-01-01T00:00:00,1234567899Z", nanoseconds: 1577836800123456789n, offset: 0 },
    { input: "0001-01-01T00:00:00Z", nanoseconds: -62135596800000000000n, offset: 0 },
  ];
  test.each(cases)("reads $input", ({ input, nanoseconds, offset }) => {
    expect(parseRfc3339(input)).toEqual({ ok: true, timestamp: { nanoseconds, offset } });
  });

  const layout = 'as "2006-01-02T15:04:05Z07:00": cannot parse';
  const refused = [
    { input: "", error: `parsing time "" ${layout} "" as "2006"`, element: "2006", found: "" },
    { input: "2020", error: `parsing time "2020" ${layout} "" as "-"`, element: "-", found: "" },
    { input: "2020-1-01", error: `parsing time "2020-1-01" ${layout} "1-01" as "01"`, element: "01", found: "1-01" },
    {
      input: "2020-01-01 00:00:00Z",
      error: `parsing time "2020-01-01 00:00:00Z" ${layout} " 00:00:00Z" as "T"`,
      element: "T",
      found: " 00:00:00Z",
    },
    {
      input: "2020-01-01T00:00:00",
      error: `parsing time "2020-01-01T00:00:00" ${layout} "" as "Z07:00"`,
      element: "Z07:00",
      found: "",
    },
    {
      input: "2020-01-01T00:00:00+0200",
      error: `parsing time "2020-01-01T00:00:00+0200" ${layout} "+0200" as "Z07:00"`,
      element: "Z07:00",
      found: "+0200",
    },
    {
      input: "2020-13-01T00:00:00Z",
      error: 'parsing time "2020-13-01T00:00:00Z": month out of range',
      element: "01",
      found: "-01T00:00:00Z",
    },
    {
      input: "2023-02-29T00:00:00Z",
      error: 'parsing time "2023-02-29T00:00:00Z": day out of range',
      element: "",
      found: "",
    },
    {
      input: "2020-01-01T24:00:00Z",
      error: 'parsing time "2020-01-01T24:00:00Z": hour out of range',
      element: "15",
      found: ":00:00Z",
    },
    {
      input: "2020-01-01T00:00:00+25:00",
      error: 'parsing time "2020-01-01T00:00:00+25:00": time zone offset hour out of range',
      element: "Z07:00",
      found: "",
    },
    {
      input: "2020-01-01T00:00:00Zé",
      error: 'parsing time "2020-01-01T00:00:00Z\\xc3\\xa9": extra text: "\\xc3\\xa9"',
      element: "",
      found: "é",
    },
  ];
  test.each(refused)("refuses '$input' in Go's words", ({ input, error, element, found }) => {
    const isOutOfRange = !error.includes("cannot parse");
    expect(parseRfc3339(input)).toEqual({
      ok: false,
      error,
      layoutElement: element,
      valueElement: found,
      isOutOfRange,
    });
  });
});

test("formatting gives the text that was read", () => {
  for (const text of ["2024-02-29T23:59:59Z", "0099-01-02T03:04:05-11:15", "9999-12-31T00:00:00+14:00"]) {
    expect(formatRfc3339(timestamp(text))).toBe(text);
  }
  expect(formatRfc3339(timestamp("2020-01-01T00:00:00.5+00:00"))).toBe("2020-01-01T00:00:00Z");
  expect(formatRfc3339Nano(timestamp("2020-01-01T00:00:00.50Z"))).toBe("2020-01-01T00:00:00.5Z");
});

test("addDuration keeps the offset", () => {
  const later = addDuration(timestamp("2019-12-31T23:30:00-05:00"), hour);
  expect(formatRfc3339(later)).toBe("2020-01-01T00:30:00-05:00");
});

test("civilTime shows the clock at the offset", () => {
  expect(civilTime(timestamp("2024-12-31T23:00:00.000000007+01:00"))).toEqual({
    year: 2024,
    month: 12,
    day: 31,
    hour: 23,
    minute: 0,
    second: 0,
    nanosecond: 7,
    weekday: 2,
    yearDay: 366,
  });
});
