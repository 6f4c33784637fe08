import { describe, expect, test } from "vitest";
import { placeText } from "../test/golden.ts";
import { bodyText } from "../test/tree-text.ts";
import type { Node } from "./ast.ts";
import { maximumNesting } from "./cursor.ts";
import { parseFile } from "./parse.ts";
import { rangeOf, sourceFile } from "./source-file.ts";

describe("bodies", () => {
  const rows: { name: string; input: string; want: string }[] = [
    { name: "nothing", input: "", want: "" },
    { name: "comments alone", input: "# a\n// b\n/* c */", want: "" },
    { name: "attributes", input: "a = 1\nb = c.d\n", want: "a = 1; b = c.d" },
    { name: "the last line needs no newline", input: "a = 1", want: "a = 1" },
    { name: "lines of Windows", input: "a = 1\r\nb {\r\n}\r\n", want: "a = 1; b {}" },
    { name: "a byte order mark", input: "\ufeffa = 1\n", want: "a = 1" },
    { name: "comments around", input: "a /* b */ = /* c */ 1 # d\n", want: "a = 1" },
    { name: "a comment without a newline at the end", input: "a = 1 # b", want: "a = 1" },
    { name: "a block", input: "a {\n  b = 1\n}\n", want: "a { b = 1 }" },
    { name: "labels in quotes and as names", input: 'a "b c" d {\n}\n', want: 'a "b c" "d" {}' },
    { name: "labels with escapes", input: 'a "b\\"$${c}" {\n}\n', want: 'a "b\\"${c}" {}' },
    { name: "an empty block on a line", input: "a {}\n", want: "a {}" },
    { name: "a block on a line", input: "a { b = 1 }\n", want: "a { b = 1 }" },
    { name: "blocks in blocks", input: "a {\n  b {\n    c {}\n  }\n}\n", want: "a { b { c {} } }" },
    { name: "a heredoc ends its line", input: "a = <<A\nb\nA\nc = 1\n", want: 'a = (template "b\\n"); c = 1' },
    {
      name: "values over lines in brackets",
      input: "a = [\n1,\n2\n]\nb = (1\n+ 2)\n",
      want: "a = [1, 2]; b = (paren (+ 1 2))",
    },
    { name: "a block after an attribute of its name", input: "a = 1\na {}\n", want: "a = 1; a {}" },
    {
      name: "keywords name arguments and blocks",
      input: "for = 1\nif {}\nnull = 2\n",
      want: "for = 1; null = 2; if {}",
    },
  ];
  test.each(rows)("$name", ({ input, want }) => {
    const { value, diagnostics } = parseFile(sourceFile("f", input));
    expect(diagnostics.map(placeText)).toEqual([]);
    expect(bodyText(value)).toBe(want);
  });
});

describe("faults are said with the reference's summary and place, and what is around them stays", () => {
  const rows: { name: string; input: string; want: readonly string[]; tree?: string }[] = [
    {
      name: "an argument without a value",
      input: "a =\nb = 1\n",
      want: ["Invalid expression (1,4-2,1)"],
      tree: "a = ?; b = 1",
    },
    {
      name: "a name alone",
      input: "a\nb = 1\n",
      want: ["Argument or block definition required (1,1-1,2)"],
      tree: "b = 1",
    },
    {
      name: "a colon",
      input: "a: 1\nb = 1\n",
      want: ["Argument or block definition required (1,1-1,2)"],
      tree: "b = 1",
    },
    { name: "a name in quotes", input: '"a" = 1\nb = 1\n', want: ["Invalid argument name (1,1-1,2)"], tree: "b = 1" },
    {
      name: "something else",
      input: "= 1\nb = 1\n",
      want: ["Argument or block definition required (1,1-1,2)"],
      tree: "b = 1",
    },
    {
      name: "two on a line",
      input: "a = 1 b = 2\nc = 3\n",
      want: ["Missing newline after argument (1,7-1,8 in 1,1-1,8)"],
      tree: "a = 1; c = 3",
    },
    {
      name: "a comma",
      input: "a = 1, b = 2\nc = 3\n",
      want: ["Unexpected comma after argument (1,6-1,7 in 1,1-1,7)"],
      tree: "a = 1; c = 3",
    },
    {
      name: "the same argument twice",
      input: "a = 1\na = 2\n",
      want: ["Attribute redefined (2,1-2,2)"],
      tree: "a = 1",
    },
    {
      name: "a block with a sign",
      input: 'a "b" = {\n}\nc = 1\n',
      want: ["Invalid block definition (1,7-1,8 in 1,1-1,8)"],
      tree: 'c = 1; a "b" {}',
    },
    {
      name: "a brace on the next line",
      input: "a b\n{\n  d = 2\n}\nc = 1\n",
      want: ["Invalid block definition (1,4-2,1 in 1,1-2,1)"],
      tree: 'c = 1; a "b" { d = 2 }',
    },
    { name: "a number for a label", input: "a 1 {\n}\n", want: ["Argument or block definition required (1,1-1,2)"] },
    {
      name: "a number behind a label",
      input: "a b 1 {\n}\nc = 1\n",
      want: ["Invalid block definition (1,5-1,6 in 1,1-1,6)"],
      tree: 'c = 1; a "b" {}',
    },
    {
      name: "a template for a label",
      input: 'a "b${c}" {\n d = 1\n}\n',
      want: ["Invalid string literal (1,5-1,7 in 1,3-1,7)"],
      tree: 'a "b${ ... }" { d = 1 }',
    },
    {
      name: "something behind a block",
      input: "a {} b\nc = 1\n",
      want: ["Missing newline after block definition (1,6-1,7 in 1,1-1,7)"],
      tree: "c = 1; a {}",
    },
    {
      name: "two arguments in a block on a line",
      input: "a { b = 1, c = 2 }\nd = 1\n",
      want: ["Invalid single-argument block definition (1,10-1,11)"],
      tree: "d = 1; a { b = 1 }",
    },
    {
      name: "a block half on a line",
      input: "a { b = 1\n}\nd = 1\n",
      want: ["Invalid single-argument block definition (1,10-2,1)"],
      tree: "d = 1; a { b = 1 }",
    },
    {
      name: "a block in a block on a line",
      input: "a { b {} }\nd = 1\n",
      want: ["Argument definition required (1,5-1,8)"],
      tree: "d = 1; a {}",
    },
    {
      name: "a block that does not end",
      input: "a {\n  b = 1\n",
      want: ["Unclosed configuration block (1,3-1,4)"],
      tree: "a { b = 1 }",
    },
    {
      name: "a block on a line that does not end",
      input: "a { b = 1",
      want: ["Unclosed configuration block (1,3-1,4 in 1,1-1,4)"],
    },
    {
      name: "a brace too many",
      input: "a {\n}\n}\nb = 1\n",
      want: ["Argument or block definition required (3,1-3,2)"],
      tree: "b = 1; a {}",
    },
    { name: "bytes that are not UTF-8, once", input: 'a = "\udc00"\n', want: [] },
  ];
  test.each(rows)("$name", ({ input, want, tree }) => {
    const { value, diagnostics } = parseFile(sourceFile("f", input));
    expect(diagnostics.map(placeText)).toEqual(want);
    if (tree !== undefined) expect(bodyText(value)).toBe(tree);
  });

  test("a byte that is not UTF-8 is said once, with its place in bytes, and the rest is read", () => {
    const bytes = Buffer.from('a = "é\xff\xff"\nb = 1\n', "latin1");
    const source = Buffer.concat([Buffer.from('a = "é'), bytes.subarray(6)]);
    const { value, diagnostics } = parseFile(sourceFile("f", source));
    expect(diagnostics.map(({ summary, subject }) => [summary, subject?.start])).toEqual([
      ["Invalid character encoding", { line: 1, column: 7, byte: 7 }],
    ]);
    expect(bodyText(value)).toBe('a = (template "é\ufffd\ufffd"); b = 1');
  });
});

describe("one fault leaves the other blocks usable", () => {
  const before = "before {\n  x = 1\n}\n";
  const after = "after {\n  y = 2\n}\n";
  const rows: { name: string; fault: string; isAllLost?: true }[] = [
    { name: "an operand is missing", fault: "bad {\n  a = 1 +\n  b = 2\n}\n" },
    { name: "a list is not closed", fault: "bad {\n  a = [1, 2\n  b = 2\n}\n" },
    { name: "a parenthesis is not closed", fault: "bad {\n  a = (1 + 2\n  b = 2\n}\n" },
    { name: "a call is not closed", isAllLost: true, fault: "bad {\n  a = f(1,\n  b = 2\n}\n" },
    { name: "an index is not closed", fault: "bad {\n  a = b[0\n  b = 2\n}\n" },
    { name: "an object is not closed", isAllLost: true, fault: "bad {\n  a = {\n    b = 2\n}\n" },
    { name: "a bracket is of another sort", fault: "bad {\n  a = [1, 2)\n  b = 2\n}\n" },
    { name: "an interpolation is wrong", fault: 'bad {\n  a = "${1 2}"\n  b = 2\n}\n' },
    { name: "a quote is missing", fault: 'bad {\n  a = "text\n  b = 2\n}\n' },
    { name: "a quote is missing within an interpolation", fault: 'bad {\n  a = "${f("text)}\n  b = 2\n}\n' },
    { name: "a string is over lines", fault: 'bad {\n  a = "text\n  more"\n  b = 2\n}\n' },
    { name: "the closing brace is missing", fault: "bad {\n  a = 1\n  b = 2\n" },
    { name: "there is a closing brace too many", fault: "bad {\n  b = 2\n}\n}\n" },
    { name: "the header is wrong", isAllLost: true, fault: 'bad = "x" {\n  b = 2\n}\n' },
    { name: "a line is of another language", fault: "bad {\n  if (a) return;\n  b = 2\n}\n" },
  ];
  test.each(rows)("$name", ({ fault, isAllLost }) => {
    const { value, diagnostics } = parseFile(sourceFile("f", before + fault + after));
    expect(diagnostics.length).toBeGreaterThan(0);
    const text = bodyText(value);
    expect(text).toContain("before { x = 1 }");
    expect(text).toMatch(/(^|; )after \{ y = 2 \}/);
    if (!isAllLost) expect(text).toContain("b = 2");
  });

  test("faults of different lines are all said", () => {
    const source = "a = 1 +\nb = 2\nc = )\nd = [1 2]\n";
    expect(parseFile(sourceFile("f", source)).diagnostics.map(placeText)).toEqual([
      "Invalid expression (1,8-2,1)",
      "Invalid expression (3,5-3,6)",
      "Missing item separator (4,8-4,9 in 4,5-4,9)",
    ]);
  });

  test("a text of another language does not get a diagnostic for each line", () => {
    const { diagnostics } = parseFile(sourceFile("f", "key: value\nother: [a, b]\n".repeat(500)));
    expect(diagnostics.length).toBeLessThan(10);
  });
});

describe("names in quotes, as old files of variables have them", () => {
  const source = '"a" = "x"\nb = 1\n"c d" = [\n2\n]\n';

  test("are read with a warning where they are asked for", () => {
    const { value, diagnostics } = parseFile(sourceFile("f", source), { quotedNames: "warn" });
    expect(bodyText(value)).toBe('a = (template "x"); b = 1; c d = [2]');
    expect(diagnostics.map((d) => `${d.severity}: ${placeText(d)}`)).toEqual([
      "warning: Quoted argument name (1,1-1,4)",
      "warning: Quoted argument name (3,1-3,6)",
    ]);
  });

  test("are errors otherwise, and where they are no arguments", () => {
    expect(parseFile(sourceFile("f", source)).diagnostics.map(({ severity }) => severity)).toContain("error");
    const block = parseFile(sourceFile("f", '"a" {\n}\n'), { quotedNames: "warn" });
    expect(block.diagnostics.map(placeText)).toContain("Invalid argument name (1,1-1,2)");
  });
});

test("parts of a body have the ranges of the reference", () => {
  const { value } = parseFile(sourceFile("f", ' a "b" {\n  c = 1\n }\n'));
  const text = (node: Node) => {
    const { start, end } = rangeOf(node);
    return `${start.line},${start.column}-${end.line},${end.column}`;
  };
  const block = value.blocks[0]!;
  expect(text(value)).toBe("1,2-4,1");
  expect(text(block)).toBe("1,2-3,3");
  expect(text(block.header)).toBe("1,2-1,7");
  expect(text(block.labelNodes[0]!)).toBe("1,4-1,7");
  expect(text(block.openBrace)).toBe("1,8-1,9");
  expect(text(block.closeBrace)).toBe("3,2-3,3");
  expect(text(block.body)).toBe("1,8-3,3");
  expect(text(block.body.missingItem)).toBe("1,8-1,8");
  const attribute = block.body.attributes.get("c")!;
  expect(text(attribute)).toBe("2,3-2,8");
  expect(text(attribute.nameNode)).toBe("2,3-2,4");
});

test("blocks nested too deep get a diagnostic, and the rest is read", () => {
  const deep = maximumNesting + 50;
  const source = `${"a {\n".repeat(deep)}${"}\n".repeat(deep)}b = 1\n`;
  const { value, diagnostics } = parseFile(sourceFile("f", source));
  expect(diagnostics.map(({ summary }) => summary)).toEqual(["Nesting too deep"]);
  expect(value.attributes.has("b")).toBe(true);
});
