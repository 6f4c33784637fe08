import { expect, test } from "vitest";
import { isIdentifier } from "./identifier.ts";

test("names of letters of any script, digits, underscores and dashes are identifiers", () => {
  const yes = ["a", "_", "a1", "a-b-", "größe", "日本語", "x\u0301", "𝒳", "ª", "for", "null"];
  expect(yes.filter((text) => !isIdentifier(text))).toEqual([]);
});

test("names that begin with a digit, a dash or a mark, and other characters, are none", () => {
  const no = ["", "1a", "-a", "\u0301x", "a b", "a.b", "a$", "€", "👍", " a", "a\n"];
  expect(no.filter(isIdentifier)).toEqual([]);
});
