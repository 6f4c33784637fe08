import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePlain } from "./plain-json.ts";

describe("what is not JSON is refused in Go's words", () => {
  const cases: { input: string; want: string }[] = [
    { input: "", want: "unexpected EOF" },
    { input: "[1,", want: "unexpected EOF" },
    { input: '"abc', want: "unexpected EOF" },
    { input: "hello", want: "invalid character 'h' looking for beginning of value" },
    { input: "truX", want: "invalid character 'X' in literal true (expecting 'e')" },
    { input: "[1 2]", want: "invalid character '2' after array element" },
    { input: '{"a":1 "b":2}', want: "invalid character '\"' after object key:value pair" },
    { input: '{"a":1,}', want: "invalid character '}' looking for beginning of object key string" },
    { input: "01", want: "extraneous data after JSON object" },
    { input: "1.x", want: "invalid character 'x' after decimal point in numeric literal" },
    { input: "1ex", want: "invalid character 'x' in exponent of numeric literal" },
    { input: "-a", want: "invalid character 'a' in numeric literal" },
    { input: '"a\\x"', want: "invalid character 'x' in string escape code" },
    { input: '"\\u12g4"', want: "invalid character 'g' in \\u hexadecimal character escape" },
    { input: '"a\tb"', want: "invalid character '\\t' in string literal" },
    { input: "[".repeat(100_000), want: "exceeded max depth" },
  ];
  test.each(cases)("$want", ({ input, want }) => {
    expect(() => parsePlain(input)).toThrow(want);
  });
});

test("what JSON.parse reads is read, and comes out alike", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.boolean(), (value, indented) => {
      const text = JSON.stringify(value, null, indented ? 2 : undefined);
      expect(JSON.parse(JSON.stringify(parsePlain(text)))).toEqual(JSON.parse(text));
    }),
    { seed: 71, numRuns: 500 },
  );
});

test("what JSON.parse refuses is refused", () => {
  const piece = fc.constantFrom(
    ..."{}[],:".split(""),
    '"a"',
    '"\\n"',
    "1",
    "-0",
    "01",
    "1.5",
    "1e5",
    "true",
    "null",
    " ",
    '"',
    "\\",
    "-",
    "x",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const text = pieces.join("");
      expect(isRead(parsePlain, text)).toBe(isRead(JSON.parse, text));
    }),
    { seed: 72, numRuns: 5000 },
  );
});

function isRead(parse: (text: string) => unknown, text: string): boolean {
  try {
    parse(text);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return false;
  }
}

test("half of a surrogate pair becomes the replacement character", () => {
  expect(parsePlain('"\\ud83dx"')).toBe("\ufffdx");
  expect(parsePlain('"\\ud83d\\ude00"')).toBe("\u{1f600}");
});
