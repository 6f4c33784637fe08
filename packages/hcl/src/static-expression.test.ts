import { expect, test } from "vitest";
import type { Expression } from "./ast.ts";
import { stepText } from "./expression-values.ts";
import { parseJsonValue } from "./parse-json.ts";
import { parseExpression } from "./parse.ts";
import { rangeOf, sourceFile } from "./source-file.ts";
import { callIn, elementsIn, keywordOf, pairsIn, traversalIn } from "./static-expression.ts";

function native(text: string): Expression {
  return parseExpression(sourceFile("case", text)).value;
}

function json(text: string): Expression {
  const { value } = parseJsonValue(sourceFile("case", text));
  const { file, start, end } = value;
  return { kind: "json", value, file, start, end };
}

function traversalText(expression: Expression): string | undefined {
  const traversal = traversalIn(expression);
  return traversal && traversal.root.name + traversal.steps.map(stepText).join("");
}

test.for([
  { name: "a reference", expression: native('a.b["c"].0'), want: 'a.b["c"][0]' },
  { name: "a word with a value of its own", expression: native("null"), want: "null" },
  { name: "a reference in a string of JSON", expression: json('"a.b[0]"'), want: "a.b[0]" },
  { name: "a word in a string of JSON", expression: json('"true"'), want: "true" },
  { name: "a computed index", expression: native("a[b]"), want: undefined },
  { name: "parentheses", expression: native("(a.b)"), want: undefined },
  { name: "a template in JSON", expression: json('"${a.b}"'), want: undefined },
  { name: "a number", expression: native("1"), want: undefined },
])("$name as a reference is $want", ({ expression, want }) => {
  expect(traversalText(expression)).toBe(want);
});

test("a reference in JSON has its place in the file", () => {
  const traversal = traversalIn(json('  "abc.d"'))!;
  expect(rangeOf(traversal).start).toEqual({ line: 1, column: 4, byte: 3 });
  expect(rangeOf(traversal.steps[0]!).end).toEqual({ line: 1, column: 9, byte: 8 });
});

test("a call is taken apart, in JSON too", () => {
  for (const expression of [native("f(a, 1)"), json('"f(a, 1)"')]) {
    const call = callIn(expression)!;
    expect([call.name, call.args.length, keywordOf(call.args[0]!)]).toEqual(["f", 2, "a"]);
  }
  expect(callIn(native("f"))).toBeUndefined();
  expect(callIn(json('"f("'))).toBeUndefined();
  expect(callIn(json("1"))).toBeUndefined();
});

test("a list is taken apart, in JSON too", () => {
  expect(elementsIn(native("[a, b]"))!.map(keywordOf)).toEqual(["a", "b"]);
  expect(elementsIn(json('["a", "b"]'))!.map(keywordOf)).toEqual(["a", "b"]);
  expect(elementsIn(native("a"))).toBeUndefined();
});

test("an object is taken apart, in JSON too", () => {
  expect(pairsIn(native("{a = b, (c) = d}"))!.map(({ key, value }) => [keywordOf(key), keywordOf(value)])).toEqual([
    ["a", "b"],
    [undefined, "d"],
  ]);
  expect(pairsIn(json('{"a": "b"}'))!.map(({ key, value }) => [keywordOf(key), keywordOf(value)])).toEqual([
    ["a", "b"],
  ]);
  expect(pairsIn(json("[]"))).toBeUndefined();
});
