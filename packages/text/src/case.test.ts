import { describe, expect, test } from "vitest";
import { isSpace, toLower, toTitle, toUpper, trimSpace } from "./case.ts";

type Case = { name: string; input: string; want: string };

describe("toUpper", () => {
  const cases: Case[] = [
    { name: "maps ASCII", input: "aZ_1", want: "AZ_1" },
    { name: "keeps a character one character", input: "straße ŉ ﬁ", want: "STRAßE ŉ ﬁ" },
    { name: "maps letters of other scripts and planes", input: "éж𐐨", want: "ÉЖ𐐀" },
    { name: "maps a Greek iota below to the one beside", input: "ᾀᾳ", want: "ᾈᾼ" },
    { name: "maps a digraph to its capitals", input: "ǆ", want: "Ǆ" },
  ];
  test.each(cases)("$name", ({ input, want }) => expect(toUpper(input)).toBe(want));
});

describe("toLower", () => {
  const cases: Case[] = [
    { name: "maps ASCII", input: "Az_1", want: "az_1" },
    { name: "does not look at what follows a sigma", input: "ΑΣ", want: "ασ" },
    { name: "maps the dotted capital I to a plain i", input: "İ", want: "i" },
    { name: "maps the Kelvin sign to a k", input: "\u212a", want: "k" },
  ];
  test.each(cases)("$name", ({ input, want }) => expect(toLower(input)).toBe(want));
});

describe("toTitle", () => {
  const cases: Case[] = [
    { name: "raises the first letter of each word", input: "hello wORLD", want: "Hello WORLD" },
    {
      name: "begins a word behind ASCII punctuation, not behind an underscore",
      input: "a-b 'c_d.e",
      want: "A-B 'C_d.E",
    },
    { name: "begins no word behind other punctuation", input: "a«b", want: "A«b" },
    { name: "begins a word behind a space of any kind", input: "a\u00a0é", want: "A\u00a0É" },
    { name: "uses title forms of digraphs", input: "ǆa Ǳb", want: "ǅa ǲb" },
    { name: "leaves Georgian small", input: "ქართული", want: "ქართული" },
  ];
  test.each(cases)("$name", ({ input, want }) => expect(toTitle(input)).toBe(want));
});

test("trimSpace takes Unicode white space off, and nothing else", () => {
  expect(trimSpace(" \t\r\n\u0085\u00a0\u2028\u3000a b\u2003\v")).toBe("a b");
  expect(trimSpace("\ufeffa\u200b")).toBe("\ufeffa\u200b");
  expect(trimSpace(" \n ")).toBe("");
  expect(isSpace("\u0085")).toBe(true);
});
