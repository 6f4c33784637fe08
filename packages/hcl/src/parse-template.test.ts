import { describe, expect, test } from "vitest";
import { placeText } from "../test/golden.ts";
import { treeText } from "../test/tree-text.ts";
import { parseExpression, parseTemplate } from "./parse.ts";
import { rangeOf, sourceFile } from "./source-file.ts";

interface Row {
  readonly name: string;
  readonly input: string;
  readonly want: string;
}

describe("quoted strings", () => {
  const rows: Row[] = [
    { name: "empty", input: '""', want: "(template)" },
    { name: "text", input: '"a b"', want: '(template "a b")' },
    { name: "escapes", input: '"\\n\\r\\t\\"\\\\"', want: '(template "\\n\\r\\t\\"\\\\")' },
    { name: "characters by number", input: '"\\u00e9\\U0001F600"', want: '(template "é😀")' },
    { name: "escaped sequences", input: '"$${a} %%{b}"', want: '(template "${a} %{b}")' },
    { name: "signs alone", input: '"$ % $$ $a %%"', want: '(template "$ % $$ $a %%")' },
    { name: "an escape behind a sign", input: '"$$${a}"', want: '(template "$${a}")' },
    { name: "an interpolation alone keeps its type", input: '"${a}"', want: "(wrap a)" },
    { name: "an interpolation with text", input: '"a${b}c"', want: '(template "a" b "c")' },
    { name: "two interpolations", input: '"${a}${b}"', want: "(template a b)" },
    { name: "newlines within an interpolation", input: '"${\na\n}"', want: "(wrap a)" },
    { name: "a string within a string", input: '"${"${a}"}"', want: "(wrap (wrap a))" },
    { name: "text is normalised", input: '"e\u0301"', want: '(template "é")' },
  ];
  test.each(rows)("$name", ({ input, want }) => {
    const { value, diagnostics } = parseExpression(sourceFile("f", input));
    expect(diagnostics.map(placeText)).toEqual([]);
    expect(treeText(value)).toBe(want);
  });
});

describe("directives and strip markers", () => {
  const rows: Row[] = [
    { name: "text alone", input: "a", want: '(template "a")' },
    { name: "nothing", input: "", want: "(template)" },
    { name: "lines are one text", input: "a\nb\n", want: '(template "a\\nb\\n")' },
    { name: "if without else", input: "%{if a}b%{endif}", want: '(template (? a (template "b") (template)))' },
    {
      name: "if with else",
      input: "%{ if a }b%{ else }c%{ endif }",
      want: '(template (? a (template "b") (template "c")))',
    },
    { name: "if of nothing", input: "%{if a}%{endif}", want: "(template (? a (template) (template)))" },
    {
      name: "if in if",
      input: "%{if a}%{if b}c%{endif}d%{endif}",
      want: '(template (? a (template (? b (template "c") (template)) "d") (template)))',
    },
    { name: "for", input: "%{for v in a}${v} %{endfor}", want: '(template (join (for v in a : (template v " "))))' },
    {
      name: "for with keys",
      input: "%{for k, v in a}${k}%{endfor}",
      want: "(template (join (for k, v in a : (template k))))",
    },
    { name: "a marker takes white space before it", input: "a \n ${~b}", want: '(template "a \\n" b)' },
    {
      name: "a marker takes white space behind it, to the end of the line",
      input: "${a~} \n b",
      want: '(template a " b")',
    },
    {
      name: "markers of directives",
      input: "a %{~if b~} c %{~endif~} d",
      want: '(template "a" (? b (template "c") (template)) "d")',
    },
    { name: "a marker takes no escapes of characters apart", input: "${a~}${b}", want: "(template a b)" },
    { name: "a backslash is text", input: "a\\n", want: '(template "a\\\\n")' },
  ];
  test.each(rows)("$name", ({ input, want }) => {
    const { value, diagnostics } = parseTemplate(sourceFile("f", input));
    expect(diagnostics.map(placeText)).toEqual([]);
    expect(treeText(value)).toBe(want);
  });
});

describe("heredocs", () => {
  const rows: Row[] = [
    { name: "text", input: "<<A\n  b\n c\nA\n", want: '(template "  b\\n c\\n")' },
    { name: "nothing", input: "<<A\nA\n", want: "(template)" },
    {
      name: "indentation that all lines share is taken away",
      input: "<<-A\n    b\n      c\n    A\n",
      want: '(template "b\\n  c\\n")',
    },
    { name: "blank lines do not count", input: "<<-A\n  b\n\n  c\n  A\n", want: '(template "b\\n\\nc\\n")' },
    {
      name: "a line that begins with a sequence has none",
      input: "<<-A\n  b\n${c}\n  A\n",
      want: '(template "  b\\n" c "\\n")',
    },
    {
      name: "spaces before a sequence count",
      input: "<<-A\n  ${b}\n    c\n  A\n",
      want: '(template "" b "\\n  c\\n")',
    },
    {
      name: "spaces in the middle of a line do not",
      input: "<<-A\n  a ${b}  c\n  A\n",
      want: '(template "a " b "  c\\n")',
    },
    { name: "tabs are characters like spaces", input: "<<-A\n\t\tb\n \tc\n\tA\n", want: '(template "b\\nc\\n")' },
    { name: "quotes and backslashes are text", input: '<<A\n"\\n"\nA\n', want: '(template "\\"\\\\n\\"\\n")' },
    { name: "an interpolation alone has the newline beside it", input: "<<A\n${b}\nA\n", want: '(template b "\\n")' },
    {
      name: "directives over lines",
      input: "<<A\n%{for v in a~}\n${v}\n%{endfor~}\nA\n",
      want: '(template (join (for v in a : (template "" v "\\n"))) "")',
    },
    { name: "newlines of Windows stay", input: "<<A\r\nb\r\nA\r\n", want: '(template "b\\r\\n")' },
  ];
  test.each(rows)("$name", ({ input, want }) => {
    const { value, diagnostics } = parseExpression(sourceFile("f", input));
    expect(diagnostics.map(placeText)).toEqual([]);
    expect(treeText(value)).toBe(want);
  });
});

describe("what cannot be read is said", () => {
  const quoted: { name: string; input: string; want: readonly string[] }[] = [
    { name: "a string that does not end", input: '"a', want: ["Unterminated template string (1,3-1,3 in 1,2-1,3)"] },
    { name: "a string over lines, once", input: '"a\nb\nc"', want: ["Invalid multi-line string (1,3-2,1)"] },
    { name: "an unknown escape", input: '"a\\qb"', want: ["Invalid escape sequence (1,3-1,5)"] },
    {
      name: "too few digits",
      input: '"\\u12 \\U1234567"',
      want: ["Invalid escape sequence (1,2-1,6)", "Invalid escape sequence (1,7-1,16)"],
    },
    { name: "half of a pair", input: '"\\ud83d"', want: ["Invalid escape sequence (1,2-1,8)"] },
    { name: "no character has this number", input: '"\\U00110000"', want: ["Invalid escape sequence (1,2-1,12)"] },
    {
      name: "an interpolation that does not end in its string",
      input: '"${a"',
      want: ["Unclosed template interpolation sequence (1,2-1,4)"],
    },
    {
      name: "something behind the expression",
      input: '"${a b}"',
      want: ["Extra characters after interpolation expression (1,6-1,7 in 1,2-1,7)"],
    },
    {
      name: "the default of a shell",
      input: '"${a:-b}"',
      want: ["Extra characters after interpolation expression (1,5-1,6 in 1,2-1,6)"],
    },
    { name: "nothing to interpolate", input: '"${}"', want: ["Invalid expression (1,4-1,5)"] },
    {
      name: "a heredoc that does not end",
      input: "<<A\nb\n",
      want: ["Unterminated template string (3,1-3,1 in 2,1-3,1)"],
    },
  ];
  test.each(quoted)("$name", ({ input, want }) => {
    expect(parseExpression(sourceFile("f", input)).diagnostics.map(placeText)).toEqual(want);
  });

  const bare: { name: string; input: string; want: readonly string[] }[] = [
    { name: "no directive", input: "%{1}", want: ["Invalid template directive (1,3-1,4 in 1,1-1,4)"] },
    {
      name: "an unknown directive",
      input: "%{iff a}",
      want: ["Invalid template control keyword (1,3-1,6 in 1,1-1,6)"],
    },
    {
      name: "something behind a directive",
      input: "%{if a b}c%{endif}",
      want: ["Extra characters in if marker (1,8-1,9 in 1,1-1,9)"],
    },
    {
      name: "for without a name",
      input: "%{for 1 in a}%{endfor}",
      want: ["Invalid 'for' directive (1,7-1,8)", "Unexpected endfor directive (1,14-1,23)"],
    },
    { name: "for without in", input: "%{for a}", want: ["Invalid 'for' directive (1,8-1,9)"] },
    { name: "if that is not closed", input: "%{if a}b", want: ["Unexpected end of template (1,9-1,9)"] },
    { name: "for that is not closed", input: "%{for a in b}c", want: ["Unexpected end of template (1,15-1,15)"] },
    { name: "a closing without an opening", input: "a%{endif}", want: ["Unexpected endif directive (1,2-1,10)"] },
    {
      name: "two else",
      input: "%{if a}%{else}%{else}%{endif}",
      want: ["Unexpected else directive (1,15-1,22)", "Unexpected endif directive (1,22-1,30)"],
    },
    {
      name: "else in for",
      input: "%{for a in b}%{else}%{endfor}",
      want: ["Unexpected else directive (1,14-1,21)", "Unexpected endfor directive (1,21-1,30)"],
    },
    { name: "closed crosswise", input: "%{if a}%{endfor}", want: ["Unexpected endfor directive (1,8-1,17)"] },
  ];
  test.each(bare)("$name", ({ input, want }) => {
    expect(parseTemplate(sourceFile("f", input)).diagnostics.map(placeText)).toEqual(want);
  });
});

test("the parts of a template know where they are, also where indentation was taken away", () => {
  const { value } = parseExpression(sourceFile("f", "<<-A\n  é ${b}\n   c\n  A\n"));
  if (value.kind !== "template") throw new Error(value.kind);
  const places = value.parts.map((part) => {
    const { start, end } = rangeOf(part);
    return `${start.line},${start.column},${start.byte}-${end.line},${end.column},${end.byte}`;
  });
  expect(places).toEqual(["2,3,7-2,5,10", "2,7,12-2,8,13", "2,9,14-4,1,20"]);
});
