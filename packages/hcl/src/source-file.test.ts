import { describe, expect, test } from "vitest";
import { embeddedFile, rangeBetween, sourceFile } from "./source-file.ts";

const encoder = new TextEncoder();

describe("positions count lines, grapheme clusters and UTF-8 bytes", () => {
  const rows: { name: string; text: string; at: string; want: [line: number, column: number, byte: number] }[] = [
    { name: "the start is 1, 1, 0", text: "a", at: "a", want: [1, 1, 0] },
    { name: "a column for each ASCII character, tabs too", text: "a\tb", at: "b", want: [1, 3, 2] },
    { name: "a line begins behind its newline", text: "a\nbc", at: "c", want: [2, 2, 3] },
    { name: "CR LF ends a line as one", text: "a\r\nb", at: "b", want: [2, 1, 3] },
    { name: "two bytes for é, one column", text: "éb", at: "b", want: [1, 2, 2] },
    { name: "a combining accent makes no column", text: "e\u0301b", at: "b", want: [1, 2, 3] },
    { name: "a family is one column of 18 bytes", text: "👨‍👩‍👧b", at: "b", want: [1, 2, 18] },
    { name: "a flag is one column of 8 bytes", text: "🇩🇪🇫🇷b", at: "b", want: [1, 3, 16] },
    { name: "a character outside the basic plane is four bytes", text: "𝒳\n𝒳b", at: "b", want: [2, 2, 9] },
    { name: "Latin letters need no segmentation", text: "äöü\näöüb", at: "b", want: [2, 4, 13] },
  ];
  test.each(rows)("$name", ({ text, at, want }) => {
    for (const source of [text, encoder.encode(text)]) {
      const { line, column, byte } = sourceFile("f", source).position(text.lastIndexOf(at));
      expect([line, column, byte]).toEqual(want);
    }
  });
});

test("positions far into a file of many bytes a character equal a count from the start", () => {
  const text = "aé日𝒳\n".repeat(700);
  const file = sourceFile("f", text);
  for (let offset = 0; offset <= text.length; offset += 7) {
    if (text.charCodeAt(offset) >= 0xdc00 && text.charCodeAt(offset) <= 0xdfff) continue;
    expect(file.position(offset).byte).toBe(encoder.encode(text.slice(0, offset)).length);
  }
});

test("a byte order mark is no text, but three bytes", () => {
  for (const source of ["\ufeffab", encoder.encode("\ufeffab")]) {
    const file = sourceFile("f", source);
    expect(file.text).toBe("ab");
    expect(file.byteOrderMark).toBe(true);
    expect(file.position(1)).toEqual({ line: 1, column: 2, byte: 4 });
  }
});

test("each byte that is not UTF-8 is a character of one byte", () => {
  const bytes = Uint8Array.from([0x61, 0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0xe2, 0x82, 0xac, 0x62]);
  const file = sourceFile("f", bytes);
  expect(file.text).toBe("a\ufffd\ufffd(\ufffd\ufffd\ufffd€b");
  expect(file.brokenBytes).toEqual([1, 2, 4, 5, 6]);
  expect([0, 1, 2, 3, 4, 7, 8, 9].map((offset) => file.position(offset).byte)).toEqual([0, 1, 2, 3, 4, 7, 10, 11]);
});

test("a replacement character that was written is no broken byte", () => {
  const file = sourceFile("f", encoder.encode("\ufffdb"));
  expect(file.brokenBytes).toEqual([]);
  expect(file.position(1).byte).toBe(3);
});

test("a lone surrogate in a string becomes a replacement character", () => {
  expect(sourceFile("f", "a\ud800b").text).toBe("a\ufffdb");
});

test("a text within a larger file counts from where it begins", () => {
  const file = sourceFile("f", "ab\nc", { line: 7, column: 5, byte: 100 });
  expect(file.position(1)).toEqual({ line: 7, column: 6, byte: 101 });
  expect(file.position(3)).toEqual({ line: 8, column: 1, byte: 103 });
});

test("an embedded text has the positions of where it was taken from", () => {
  const outer = sourceFile("f", 'x = "a\\nb"');
  const inner = embeddedFile(outer, "a\nb", (offset) => [5, 6, 8, 9][offset]!);
  expect(rangeBetween(inner, 2, 3)).toEqual({
    filename: "f",
    start: { line: 1, column: 9, byte: 8 },
    end: { line: 1, column: 10, byte: 9 },
  });
});

test("a line of a million characters is counted once, however often it is asked for", () => {
  const file = sourceFile("f", "e\u0301".repeat(200_000));
  const started = performance.now();
  for (let offset = 0; offset < 400_000; offset += 20) file.position(offset);
  expect(performance.now() - started).toBeLessThan(5000);
});
