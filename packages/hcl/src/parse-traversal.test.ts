import { describe, expect, test } from "vitest";
import { placeText } from "../test/golden.ts";
import { parseTraversal } from "./parse.ts";
import { rangeOf, sourceFile } from "./source-file.ts";
import { traversalText } from "./traversal-text.ts";

describe("references are read, and written as they were", () => {
  const inputs = [
    "a",
    "a.b",
    "aws_instance.web[0].tags",
    'module.x["k"].y',
    'a["b\\"c"]',
    'a[""]',
    "a.b-c[12]",
    "größe.é",
  ];
  test.each(inputs)("%s", (input) => {
    const { value, diagnostics } = parseTraversal(sourceFile("f", input));
    expect(diagnostics).toEqual([]);
    expect(value && traversalText(value)).toBe(input);
  });

  test("spaces and newlines do not count", () => {
    const { value } = parseTraversal(sourceFile("f", " a .\nb [ 0 ] "));
    expect(value && traversalText(value)).toBe("a.b[0]");
  });

  test("an escape of a template is the text that it stands for", () => {
    const { value } = parseTraversal(sourceFile("f", 'a["$${b}"]'));
    expect(value?.steps[0]).toMatchObject({ kind: "index", key: { data: "${b}" } });
  });
});

describe("what is none is said, and what was read before stays", () => {
  const rows: { input: string; want: string; text?: string }[] = [
    { input: "", want: "Variable name required (1,1-1,1)" },
    { input: "1", want: "Variable name required (1,1-1,2)" },
    { input: "a.", want: "Attribute name required (1,3-1,3 in 1,1-1,3)", text: "a" },
    { input: "a.b.*", want: "Attribute name required (1,5-1,6 in 1,1-1,6)", text: "a.b" },
    { input: "a.0", want: "Attribute name required (1,3-1,4 in 1,1-1,4)", text: "a" },
    { input: "a[*]", want: "Attribute name required (1,3-1,4 in 1,1-1,4)", text: "a" },
    { input: "a[b]", want: "Index value required (1,3-1,4 in 1,1-1,4)", text: "a" },
    { input: "a[0", want: "Unclosed index brackets (1,4-1,4 in 1,2-1,4)", text: "a" },
    { input: "a[0 1]", want: "Unclosed index brackets (1,5-1,6 in 1,2-1,6)", text: "a" },
    { input: 'a["${b}"]', want: "Invalid string literal (1,4-1,6 in 1,3-1,6)", text: "a" },
    { input: "a + b", want: "Invalid character (1,3-1,4 in 1,1-1,4)", text: "a" },
    { input: "a b", want: "Invalid character (1,3-1,4 in 1,1-1,4)", text: "a" },
  ];
  test.each(rows)("$input", ({ input, want, text }) => {
    const { value, diagnostics } = parseTraversal(sourceFile("f", input));
    expect(diagnostics.map(placeText)).toEqual([want]);
    expect(value && traversalText(value)).toBe(text);
  });
});

test("a reference within a larger file has its places there", () => {
  const { value } = parseTraversal(sourceFile("f", "a.b", { line: 3, column: 5, byte: 40 }));
  expect(value && rangeOf(value.steps[0]!).start).toEqual({ line: 3, column: 6, byte: 41 });
});
