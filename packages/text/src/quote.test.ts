import { describe, expect, test } from "vitest";
import { canBackquote, quote, quoteCharacter, quoteHcl, quoteToAscii, unquote } from "./quote.ts";

describe("quote", () => {
  const cases = [
    { name: "leaves printable text of any language", input: "añ 😀 ٣", want: '"añ 😀 ٣"' },
    { name: "escapes quotes and backslashes", input: "a\"b\\c'", want: '"a\\"b\\\\c\'"' },
    { name: "uses Go's short escapes", input: "\x07\b\f\n\r\t\v", want: '"\\a\\b\\f\\n\\r\\t\\v"' },
    { name: "writes other control characters as bytes", input: "\0\x7f", want: '"\\x00\\x7f"' },
    { name: "escapes spaces that are not the ASCII one", input: "\u00a0\u2028\ufeff", want: '"\\u00a0\\u2028\\ufeff"' },
    { name: "escapes private characters of the upper planes", input: "\u{f0000}", want: '"\\U000f0000"' },
    { name: "writes half a surrogate pair as the replacement character", input: "\ud800", want: '"\\ufffd"' },
  ];
  test.each(cases)("$name", ({ input, want }) => {
    expect(quote(input)).toBe(want);
  });

  test("to ASCII escapes all else", () => {
    expect(quoteToAscii("é😀~")).toBe('"\\u00e9\\U0001f600~"');
  });

  test("of one character uses single quotes", () => {
    expect(quoteCharacter("'")).toBe("'\\''");
    expect(quoteCharacter('"')).toBe("'\"'");
  });
});

describe("unquote", () => {
  const cases = [
    { name: "reads every escape", input: '"\\a\\x41\\101\\u00e9\\U0001F600\\""', want: '\x07AAé😀"' },
    { name: "joins bytes to a character", input: '"\\xc3\\xa9"', want: "é" },
    { name: "reads a raw string and drops its carriage returns", input: "`a\\n\r`", want: "a\\n" },
    { name: "reads one character", input: "'é'", want: "é" },
    { name: "refuses two characters in single quotes", input: "'ab'", want: undefined },
    { name: "refuses a quote that is not escaped", input: '"a"b"', want: undefined },
    { name: "refuses a line break", input: '"a\nb"', want: undefined },
    { name: "refuses an unknown escape", input: '"\\z"', want: undefined },
    { name: "refuses the other delimiter escaped", input: '"\\\'"', want: undefined },
    { name: "refuses a surrogate", input: '"\\ud800"', want: undefined },
    { name: "refuses an octal byte over 255", input: '"\\400"', want: undefined },
    { name: "refuses an open end", input: '"abc', want: undefined },
  ];
  test.each(cases)("$name", ({ input, want }) => {
    expect(unquote(input)).toBe(want);
  });

  test("undoes quote", () => {
    const text = "a\"\\\n\u0000\u00a0😀'`";
    expect(unquote(quote(text))).toBe(text);
    expect(unquote(quoteToAscii(text))).toBe(text);
  });
});

test("canBackquote refuses control characters other than tab, and backquotes", () => {
  expect(["a\tb", "a\nb", "`", "\ufeff", "é😀", "\x7f"].map(canBackquote)).toEqual([
    true,
    false,
    false,
    false,
    true,
    false,
  ]);
});

describe("quoteHcl", () => {
  const cases = [
    { name: "doubles what would begin a template", input: "${a} %{b}", want: '"$${a} %%{b}"' },
    { name: "leaves a dollar or percent alone", input: "$a 5% $$", want: '"$a 5% $$"' },
    { name: "keeps a dollar before a template sequence", input: "$${a}", want: '"$$${a}"' },
    { name: "escapes as the reference does", input: '\n\r\t"\\', want: '"\\n\\r\\t\\"\\\\"' },
    { name: "writes control characters by code", input: "\0\x1b", want: '"\\u0000\\u001b"' },
  ];
  test.each(cases)("$name", ({ input, want }) => {
    expect(quoteHcl(input)).toBe(want);
  });
});
