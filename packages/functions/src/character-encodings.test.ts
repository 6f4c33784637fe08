import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { characterEncoding } from "./character-encodings.ts";

/** A text that each encoding has, and its bytes; the double-byte ones with characters that have several codes. */
const cases = [
  { name: "UTF-8", text: "é👍", hex: "c3a9f09f918d" },
  { name: "UTF-16", text: "é", hex: "feff00e9" },
  { name: "ISO-8859-1", text: "é\u0085", hex: "e985" },
  { name: "IBM850", text: "é", hex: "82" },
  { name: "IBM037", text: "A[", hex: "c1ba" },
  { name: "IBM1047", text: "A[", hex: "c1ad" },
  { name: "IBM01140", text: "A€", hex: "c19f" },
  { name: "KOI8-U", text: "ў", hex: "ae" },
  { name: "macintosh", text: "Ω€\uf8ff", hex: "bddbf0" },
  { name: "windows-1252", text: "€", hex: "80" },
  { name: "Shift_JIS", text: "aあ嶹", hex: "6182a0ed99" },
  { name: "EUC-JP", text: "aあｱ嶹", hex: "61a4a28eb1f9f9" },
  { name: "ISO-2022-JP", text: "aあｱ", hex: "611b244224221b2849311b2842" },
  { name: "EUC-KR", text: "안", hex: "bec8" },
  { name: "GBK", text: "你€", hex: "c4e380" },
  { name: "GB18030", text: "你😀", hex: "c4e39439fc36" },
  { name: "HZ-GB-2312", text: "a~你€", hex: "617e7e7e7b44632263" },
  { name: "Big5", text: "你", hex: "a741" },
];

describe.each(cases)("$name", ({ name, text, hex }) => {
  const encoding = characterEncoding(name)!;

  test("writes and reads a text", () => {
    expect(Buffer.from(encoding.encode(text)!).toString("hex")).toBe(hex);
    expect(encoding.decode(Buffer.from(hex, "hex"))).toBe(text);
  });

  test("reads what it writes, and writes nothing that it cannot read", () => {
    const characters = fc.string({
      unit: fc.constantFrom(...text, ..."aZ~\\ \n", "é", "ж", "中", "\ue000", "\u0081"),
      maxLength: 12,
    });
    const property = fc.property(characters, (input) => {
      const bytes = encoding.encode(input);
      if (bytes) expect(encoding.decode(bytes)).toBe(input);
    });
    fc.assert(property, { seed: 20_261_121, numRuns: 200 });
  });

  test("takes any bytes without a crash", () => {
    const property = fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      expect(encoding.decode(bytes) ?? "").not.toContain("\ufffd");
    });
    fc.assert(property, { seed: 20_261_121, numRuns: 200 });
  });
});

test.each([
  { name: " latin1 ", want: "ISO_8859-1:1987" },
  { name: "L1", want: "ISO_8859-1:1987" },
  { name: "cp850", want: "IBM850" },
  { name: "utf8", want: undefined },
  { name: "UTF-32", want: undefined },
  { name: "", want: undefined },
])("$name is the encoding $want", ({ name, want }) => {
  expect(characterEncoding(name)?.name).toBe(want);
});

test.each(["ISO-8859-2", "ISO-8859-15"])("%s has no C1 control characters", (name) => {
  expect(characterEncoding(name)!.encode("\u0085")).toBeUndefined();
  expect(characterEncoding(name)!.decode(Uint8Array.of(0x85))).toBeUndefined();
});

test.each(["Shift_JIS", "GBK", "Big5", "EUC-JP"])("%s has no characters of private use", (name) => {
  expect(characterEncoding(name)!.encode("\ue000")).toBeUndefined();
});
