import { describe, expect, test } from "vitest";
import { countGraphemes, graphemes, reverseGraphemes, sliceGraphemes } from "./graphemes.ts";

describe("graphemes", () => {
  const cases = [
    { name: "of ASCII are its characters", input: "ab c", want: ["a", "b", " ", "c"] },
    { name: "take a carriage return and line feed as one", input: "a\r\nb\n\r", want: ["a", "\r\n", "b", "\n", "\r"] },
    { name: "keep marks with their letter", input: "e\u0301a", want: ["e\u0301", "a"] },
    { name: "keep a family of emoji together", input: "👩‍👧x", want: ["👩‍👧", "x"] },
    { name: "pair flags", input: "🇩🇪🇫", want: ["🇩🇪", "🇫"] },
    { name: "keep a Hangul syllable together", input: "각", want: ["각"] },
    { name: "part a conjunct behind its virama, as Unicode 15.0 does", input: "क्त", want: ["क्", "त"] },
    { name: "keep a Thai vowel that is a letter with its consonant", input: "ก้ำ", want: ["ก้ำ"] },
    { name: "keep an accent with a Latin-1 letter", input: "é\u00ad", want: ["é", "\u00ad"] },
    { name: "keep a variation selector with a sign", input: "©\ufe0f", want: ["©\ufe0f"] },
  ];
  test.each(cases)("$name", ({ input, want }) => {
    expect(graphemes(input)).toEqual(want);
    expect(countGraphemes(input)).toBe(want.length);
  });

  test("are sliced and reversed whole", () => {
    expect(sliceGraphemes("ae\u0301👩‍👧\r\n", 1, 3)).toBe("e\u0301👩‍👧");
    expect(sliceGraphemes("abc", 1)).toBe("bc");
    expect(reverseGraphemes("ae\u0301👩‍👧")).toBe("👩‍👧e\u0301a");
  });
});
