import { describe, expect, test } from "vitest";
import { placeText } from "../test/golden.ts";
import { treeText } from "../test/tree-text.ts";
import { maximumHeight, maximumNesting } from "./cursor.ts";
import { parseExpression } from "./parse.ts";
import { rangeOf, sourceFile } from "./source-file.ts";

interface Row {
  readonly name: string;
  readonly input: string;
  readonly want: string;
}

function check({ input, want }: Row): void {
  const { value, diagnostics } = parseExpression(sourceFile("f", input));
  expect(diagnostics.map(placeText)).toEqual([]);
  expect(treeText(value)).toBe(want);
}

describe("literals and references", () => {
  const rows: Row[] = [
    { name: "a whole number", input: "12", want: "12" },
    { name: "a fraction", input: "1.50", want: "1.5" },
    { name: "an exponent", input: "25e-1", want: "2.5" },
    {
      name: "more digits than a double holds",
      input: "123456789012345678901234567890",
      want: "123456789012345678901234567890",
    },
    { name: "truth", input: "[true, false]", want: "[true, false]" },
    { name: "null", input: "null", want: "null(any)" },
    { name: "a name", input: "a-b", want: "a-b" },
    { name: "attributes", input: "a.b.c", want: "a.b.c" },
    { name: "constant keys", input: 'a[0]["k"].c', want: 'a[0]["k"].c' },
    { name: "an empty key", input: 'a[""]', want: 'a[""]' },
    { name: "keys that are words", input: "a[true][null]", want: "a[true][null(any)]" },
    { name: "a key of a heredoc", input: "a[<<A\nk\nA\n]", want: 'a["k\\n"]' },
    { name: "a legacy index", input: "a.0.b", want: "a[0].b" },
    { name: "a key to compute", input: "a[b].c", want: "(steps (index a b) .c)" },
    { name: "a key that is a template", input: 'a["${b}"]', want: "(index a (wrap b))" },
    { name: "a negative key is computed", input: "a[-1]", want: "(index a (- 1))" },
    { name: "an attribute of a call", input: "f().b[0]", want: "(steps (call f) .b[0])" },
    { name: "an attribute of parentheses", input: "(a).b", want: "(steps (paren a) .b)" },
    { name: "an attribute of a keyword", input: "true.a", want: "(steps true .a)" },
    { name: "steps may stand on lines of their own", input: "a\n.b", want: "a.b" },
  ];
  test.each(rows)("$name", check);
});

describe("splats", () => {
  const rows: Row[] = [
    { name: "a full one alone", input: "a[*]", want: "(splat a @)" },
    { name: "a full one takes all steps", input: "a[*].b[0].c", want: "(splat a (steps @ .b[0].c))" },
    { name: "a full one takes computed keys", input: "a[*][b]", want: "(splat a (index @ b))" },
    { name: "one in another", input: "a[*].b[*].c", want: "(splat a (splat (steps @ .b) (steps @ .c)))" },
    { name: "one of attributes alone", input: "a.*", want: "(splat a @)" },
    { name: "one of attributes takes attributes", input: "a.*.b.0.c", want: "(splat a (steps @ .b[0].c))" },
    {
      name: "one of attributes leaves indexes to its result",
      input: "a.*.b[0]",
      want: "(steps (splat a (steps @ .b)) [0])",
    },
    {
      name: "a full one behind one of attributes",
      input: "a.*.b[*].c",
      want: "(splat (splat a (steps @ .b)) (steps @ .c))",
    },
  ];
  test.each(rows)("$name", check);
});

describe("operators", () => {
  const rows: Row[] = [
    { name: "products bind tighter than sums", input: "1 + 2 * 3", want: "(+ 1 (* 2 3))" },
    { name: "sums bind tighter than comparisons", input: "1 + 2 < 3", want: "(< (+ 1 2) 3)" },
    { name: "comparisons bind tighter than equality", input: "a < b == c", want: "(== (< a b) c)" },
    { name: "equality binds tighter than and", input: "a == b && c", want: "(&& (== a b) c)" },
    { name: "and binds tighter than or", input: "a || b && c", want: "(|| a (&& b c))" },
    { name: "operators of one rank go from the left", input: "1 - 2 - 3 % 4 / 5", want: "(- (- 1 2) (/ (% 3 4) 5))" },
    { name: "or binds tighter than a condition", input: "a || b ? c : d", want: "(? (|| a b) c d)" },
    { name: "conditions go from the right", input: "a ? b : c ? d : e", want: "(? a b (? c d e))" },
    { name: "a condition in the middle", input: "a ? b ? c : d : e", want: "(? a (? b c d) e)" },
    { name: "a minus takes only its operand", input: "-1 + 2", want: "(+ (- 1) 2)" },
    { name: "a minus takes the steps behind its operand", input: "-a.b", want: "(- a.b)" },
    { name: "signs in a row", input: "!-!a", want: "(! (- (! a)))" },
    { name: "parentheses stay in the tree", input: "(1 + 2) * 3", want: "(* (paren (+ 1 2)) 3)" },
    {
      name: "all comparisons",
      input: "[a != b, a <= b, a >= b, a > b]",
      want: "[(!= a b), (<= a b), (>= a b), (> a b)]",
    },
    { name: "operators need no spaces", input: "1+2==3&&!a", want: "(&& (== (+ 1 2) 3) (! a))" },
    { name: "a dash without spaces is part of a name", input: "a-b - c", want: "(- a-b c)" },
    {
      name: "newlines and comments may stand anywhere in parentheses",
      input: "(1 # one\n +\n/* two */ 2\n)",
      want: "(paren (+ 1 2))",
    },
  ];
  test.each(rows)("$name", check);
});

describe("calls", () => {
  const rows: Row[] = [
    { name: "without arguments", input: "f()", want: "(call f)" },
    { name: "with a comma at the end", input: "f(1, 2,)", want: "(call f 1 2)" },
    { name: "with arguments on lines", input: "f(\n1,\n2\n)", want: "(call f 1 2)" },
    { name: "with a list as the last arguments", input: "f(1, a...)", want: "(call f 1 a ...)" },
    { name: "in a namespace", input: "a::b::f(1)", want: "(call a::b::f 1)" },
    { name: "of a keyword's name", input: "true(1)", want: "(call true 1)" },
    { name: "with a space before the parenthesis", input: "f (1)", want: "(call f 1)" },
  ];
  test.each(rows)("$name", check);
});

describe("collections", () => {
  const rows: Row[] = [
    { name: "an empty list", input: "[]", want: "[]" },
    { name: "a list on lines, with a comma at its end", input: "[\n1,\n# two\n2,\n]", want: "[1, 2]" },
    { name: "an empty object", input: "{\n}", want: "{}" },
    { name: "items on lines or with commas", input: "{a = 1\nb = 2, c = 3,\n}", want: "{a = 1, b = 2, c = 3}" },
    { name: "colons", input: "{a: 1, b : 2}", want: "{a = 1, b = 2}" },
    { name: "a bare name is a text", input: "{a = a}", want: "{a = a}" },
    { name: "keywords are names too", input: "{true = 1, null = 2, if = 3}", want: "{true = 1, null = 2, if = 3}" },
    { name: "a name in parentheses is a reference", input: "{(a) = 1}", want: "{(paren a) = 1}" },
    {
      name: "strings, numbers and templates as keys",
      input: '{"a b" = 1, 2 = 3, "${c}" = 4}',
      want: '{(template "a b") = 1, 2 = 3, (wrap c) = 4}',
    },
    { name: "a reference with steps as a key", input: "{a.b = 1}", want: "{a.b = 1}" },
    { name: "comments behind items", input: "{\na = 1 # one\nb = 2 // two\n}", want: "{a = 1, b = 2}" },
    { name: "a list of values", input: "[for a in b : a.c]", want: "(for a in b : a.c)" },
    {
      name: "a list with keys at hand and a condition",
      input: "[for i, a in b : a if i > 0]",
      want: "(for i, a in b : a if (> i 0))",
    },
    { name: "an object", input: "{for k, v in a : v => k}", want: "(for k, v in a : v => k)" },
    {
      name: "an object of groups",
      input: "{for v in a : v.k => v... if v.b}",
      want: "(for v in a : v.k => v... if v.b)",
    },
    {
      name: "newlines do not count in for",
      input: "{\nfor\nk, v\nin\na\n:\nk\n=>\nv\n}",
      want: "(for k, v in a : k => v)",
    },
    {
      name: "an object in a for in braces has newlines again",
      input: "{for k, v in a : k => {\nb = 1\nc = 2\n}}",
      want: "(for k, v in a : k => {b = 1, c = 2})",
    },
    { name: "names of for may be keywords", input: "[for in, if in for : in]", want: "(for in, if in for : in)" },
  ];
  test.each(rows)("$name", check);
});

describe("what cannot be read is said with the reference's summary and place", () => {
  const rows: { name: string; input: string; want: readonly string[]; tree?: string }[] = [
    { name: "nothing at all", input: "", want: ["Missing expression (1,1-1,1)"], tree: "?" },
    { name: "no operand", input: "1 + ", want: ["Missing expression (1,5-1,5)"], tree: "1" },
    { name: "no operand, but something", input: "1 + )", want: ["Invalid expression (1,5-1,6)"] },
    { name: "something behind", input: "1 2", want: ["Extra characters after expression (1,3-1,4)"], tree: "1" },
    {
      name: "no second result",
      input: "a ? b",
      want: ["Missing false expression in conditional (1,6-1,6 in 1,1-1,6)"],
      tree: "a",
    },
    { name: "no closing parenthesis", input: "(1 + 2", want: ["Unbalanced parentheses (1,7-1,7 in 1,1-1,7)"] },
    { name: "another bracket", input: "(1]", want: ["Unbalanced parentheses (1,3-1,4 in 1,1-1,4)"] },
    {
      name: "a list without commas",
      input: "[1 2]",
      want: ["Missing item separator (1,4-1,5 in 1,1-1,5)"],
      tree: "[1]",
    },
    {
      name: "a list without an end",
      input: "[1, 2",
      want: ["Unterminated tuple constructor expression (1,1-1,2)"],
      tree: "[1, 2]",
    },
    { name: "an object without values", input: "{a, b}", want: ["Missing attribute value (1,3-1,4 in 1,1-1,4)"] },
    { name: "an object without signs", input: "{a b}", want: ["Missing key/value separator (1,4-1,5 in 1,1-1,5)"] },
    {
      name: "an object with too much on a line",
      input: "{a = 1 b = 2}",
      want: ["Missing attribute separator (1,8-1,9 in 1,1-1,9)"],
      tree: "{a = 1}",
    },
    {
      name: "an object without an end",
      input: "{a = 1",
      want: ["Unterminated object constructor expression (1,1-1,2)"],
      tree: "{a = 1}",
    },
    {
      name: "a call without commas",
      input: "f(1 2)",
      want: ["Missing argument separator (1,5-1,6 in 1,1-1,6)"],
      tree: "(call f 1)",
    },
    { name: "a call without an end", input: "f(1", want: ["Unterminated function call (1,1-1,3)"], tree: "(call f 1)" },
    {
      name: "something behind the dots",
      input: "f(a..., b)",
      want: ["Missing closing parenthesis (1,4-1,7 in 1,1-1,7)"],
    },
    { name: "no function name", input: "a::1", want: ["Missing function name (1,4-1,5 in 1,1-1,5)"], tree: "?" },
    {
      name: "a namespace without a call",
      input: "a::b",
      want: ["Missing open parenthesis (1,5-1,5 in 1,1-1,5)"],
      tree: "?",
    },
    { name: "no attribute name", input: "a.", want: ["Invalid attribute name (1,3-1,3)"], tree: "?" },
    {
      name: "two legacy indexes",
      input: "a.0.1",
      want: ["Invalid legacy index syntax (1,3-1,6)"],
      tree: "a[unknown(any)]",
    },
    { name: "no closing bracket", input: "a[0 ", want: ["Missing close bracket on index (1,5-1,5)"] },
    {
      name: "a star with something else",
      input: "a[*0]",
      want: ["Missing close bracket on splat index (1,4-1,5)"],
      tree: "(splat a @)",
    },
    { name: "a star behind a star", input: "a.*.*", want: ["Nested splat expression not allowed (1,5-1,6)"] },
    { name: "a number of two fractions", input: "1.2.3", want: ["Invalid number literal (1,1-1,6)"] },
    {
      name: "for without a name",
      input: "[for 1 in a : b]",
      want: ["Invalid 'for' expression (1,6-1,7 in 1,1-1,7)"],
      tree: "?",
    },
    {
      name: "for without a second name",
      input: "[for a, 1 in a : b]",
      want: ["Invalid 'for' expression (1,9-1,10 in 1,1-1,10)"],
      tree: "?",
    },
    {
      name: "for without in",
      input: "[for a b : c]",
      want: ["Invalid 'for' expression (1,8-1,9 in 1,1-1,9)"],
      tree: "?",
    },
    {
      name: "for without a colon",
      input: "[for a in b]",
      want: ["Invalid 'for' expression (1,12-1,13 in 1,1-1,13)"],
      tree: "?",
    },
    {
      name: "for with something behind",
      input: "[for a in b : c d]",
      want: ["Invalid 'for' expression (1,17-1,18 in 1,1-1,18)"],
    },
    {
      name: "a list with keys",
      input: "[for a in b : a => c]",
      want: ["Invalid 'for' expression (1,15-1,16 in 1,1-1,22)"],
    },
    {
      name: "a list with groups",
      input: "[for a in b : c...]",
      want: ["Invalid 'for' expression (1,16-1,19 in 1,1-1,20)"],
    },
    {
      name: "an object without keys",
      input: "{for a in b : c}",
      want: ["Invalid 'for' expression (1,15-1,16 in 1,1-1,17)"],
    },
    {
      name: "another language's operators",
      input: "a & b",
      want: ["Unsupported operator (1,3-1,4)", "Extra characters after expression (1,3-1,4)"],
    },
    { name: "single quotes", input: "'a'", want: ["Invalid character (1,1-1,2)", "Invalid expression (1,1-1,2)"] },
    { name: "backticks", input: "`a`", want: ["Invalid character (1,1-1,2)", "Invalid expression (1,1-1,2)"] },
    {
      name: "curly quotes",
      input: "“a”",
      want: ["Invalid character (1,1-1,2)", "Invalid character (1,3-1,4)", "Invalid expression (1,1-1,2)"],
    },
  ];
  test.each(rows)("$name", ({ input, want, tree }) => {
    const { value, diagnostics } = parseExpression(sourceFile("f", input));
    expect(diagnostics.map(placeText)).toEqual(want);
    if (tree !== undefined) expect(treeText(value)).toBe(tree);
  });
});

test("nodes have the ranges of the reference", () => {
  const rows: [input: string, want: string][] = [
    ["  a.b[0] ", "1,3-1,9"],
    [" -a.b", "1,2-1,6"],
    ["a + b", "1,1-1,6"],
    ["f ( 1 )", "1,1-1,8"],
    ["(a).b", "1,1-1,6"],
    ["a[b].c", "1,1-1,7"],
    ["a[*].b[0]", "1,1-1,10"],
    ['"é" == x', "1,1-1,9"],
    ["[\n1\n]", "1,1-3,2"],
    ["<<A\nb\nA\n", "1,1-3,2"],
  ];
  for (const [input, want] of rows) {
    const { start, end } = rangeOf(parseExpression(sourceFile("f", input)).value);
    expect(`${start.line},${start.column}-${end.line},${end.column}`).toBe(want);
  }
});

describe("depth is limited, with a diagnostic", () => {
  const deep = 10_000;
  const rows: { name: string; input: string; want: string }[] = [
    { name: "parentheses", input: "(".repeat(deep) + 1 + ")".repeat(deep), want: "Nesting too deep" },
    { name: "lists", input: "[".repeat(deep), want: "Nesting too deep" },
    { name: "objects", input: "{a=".repeat(deep), want: "Nesting too deep" },
    { name: "calls", input: "f(".repeat(deep), want: "Nesting too deep" },
    { name: "signs", input: `${"!".repeat(deep)}a`, want: "Nesting too deep" },
    { name: "keys", input: "a[".repeat(deep), want: "Nesting too deep" },
    { name: "splats", input: `a${"[*]".repeat(deep)}`, want: "Nesting too deep" },
    { name: "templates", input: '"${'.repeat(deep), want: "Nesting too deep" },
    { name: "conditions", input: "a ? b : ".repeat(deep), want: "Nesting too deep" },
    { name: "for", input: "[for a in ".repeat(deep), want: "Nesting too deep" },
    { name: "directives", input: `"${"%{if a}".repeat(deep)}"`, want: "Nesting too deep" },
    { name: "a row of operators", input: `1${" + 1".repeat(deep)}`, want: "Expression too long" },
    { name: "a row of computed keys", input: `a${"[b]".repeat(deep)}`, want: "Expression too long" },
    { name: "a row of splats of attributes", input: `a${".*.b[0]".repeat(deep)}`, want: "Expression too long" },
  ];
  test.each(rows)("$name", ({ input, want }) => {
    const { diagnostics } = parseExpression(sourceFile("f", input));
    expect(diagnostics.map(({ summary }) => summary)).toContain(want);
  });

  test("what is below the limits is read", () => {
    const levels = maximumNesting - 1;
    check({
      name: "",
      input: "(".repeat(levels) + 1 + ")".repeat(levels),
      want: "(paren ".repeat(levels) + 1 + ")".repeat(levels),
    });
    const { diagnostics } = parseExpression(sourceFile("f", `1${" + 1".repeat(maximumHeight - 2)}`));
    expect(diagnostics).toEqual([]);
  });

  test("an attribute of many names in a row is not deep", () => {
    const { diagnostics } = parseExpression(sourceFile("f", `a${".b".repeat(deep)}`));
    expect(diagnostics).toEqual([]);
  });
});
