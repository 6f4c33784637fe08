import type { Diagnostic } from "@millwright/core/diagnostics";
import { expect, test } from "vitest";
import { goldenScope } from "../test/golden.ts";
import { languageFunctions } from "../test/language-functions.ts";
import { valueText } from "../test/value-text.ts";
import { evaluate } from "./evaluate.ts";
import { parseJsonValue } from "./parse-json.ts";
import { parseExpression } from "./parse.ts";
import type { Scope } from "./scope.ts";
import { sourceFile } from "./source-file.ts";

const scope = goldenScope();

function faultOf(text: string, within: Scope | undefined = scope): Diagnostic {
  const { value, diagnostics } = parseExpression(sourceFile("case", text));
  expect(diagnostics).toEqual([]);
  const found = evaluate(value, within).diagnostics;
  expect(found).toHaveLength(1);
  return found[0]!;
}

test.for([
  { expression: "tex", detail: 'There is no variable named "tex". Did you mean "text"?' },
  { expression: "zzz", detail: 'There is no variable named "zzz".' },
  { expression: "object.nam", detail: 'This object does not have an attribute named "nam". Did you mean "name"?' },
  { expression: "secret_object.nam", detail: 'This object does not have an attribute named "nam".' },
  {
    expression: "tomap({port = 1}).prot",
    detail: 'This map does not have an element with the key "prot". Did you mean "port"?',
  },
  { expression: "upper1(1)", detail: 'There is no function named "upper1". Did you mean "upper"?' },
  {
    expression: "text::twise(1)",
    detail: 'There is no function named "twise" in namespace text::. Did you mean text::twice?',
  },
  { expression: "other::twice(1)", detail: 'There are no functions in namespace "other::".' },
  { expression: "upper()", detail: 'Function "upper" expects 1 argument(s). Missing value for "str".' },
  { expression: "join()", detail: 'Function "join" expects at least 1 argument(s). Missing value for "separator".' },
  { expression: "upper([])", detail: 'Invalid value for "str" parameter: string required.' },
  { expression: "upper(null)", detail: 'Invalid value for "str" parameter: argument must not be null.' },
  { expression: 'refuse("whole", "")', detail: 'Call to function "refuse" failed: it cannot be.' },
  { expression: 'refuse("", "")', detail: 'Invalid value for "second" parameter: it cannot be.' },
  { expression: "1 + true", detail: "Unsuitable value for right operand: number required." },
  { expression: "0 / 0", detail: "Error during operation: can't divide zero by zero or infinity by infinity." },
  {
    expression: "true ? {a = 1} : {b = []}",
    detail:
      "The true and false result expressions must have consistent types. The 'true' value includes object attribute \"a\", which is absent in the 'false' value.",
  },
  {
    expression: "list[9]",
    detail:
      "The given key does not identify an element in this collection value: the given index is greater than or equal to the length of the collection.",
  },
  {
    expression: "[][0]",
    detail: "The given key does not identify an element in this collection value: the collection has no elements.",
  },
])("$expression is refused with what to do", ({ expression, detail }) => {
  expect(faultOf(expression).detail).toBe(detail);
});

test.for([
  { name: "the values of references", expression: "object.name + number", want: ['object.name is "web"'] },
  {
    name: "the call and the values",
    expression: "upper(object.tags)",
    want: ["while calling upper(str)", "object.tags is tuple with 2 elements"],
  },
  {
    name: "variadic parameters with dots",
    expression: "min(object.tags)",
    want: ["while calling min(numbers...)", "object.tags is tuple with 2 elements"],
  },
  {
    name: "the longest part that leads somewhere",
    expression: "object.nested.nope.x",
    want: ['object.nested is object with 1 attribute "deep"'],
  },
  { name: "no bare names", expression: "text + 1", want: undefined },
  { name: "nothing sensitive", expression: "secret_inside.hidden + 1", want: undefined },
  {
    name: "the type of unknown values",
    expression: "[unknown_object.tags, object.port].x",
    want: ["object.port is 80", "unknown_object.tags is a list of string"],
  },
  { name: "each value once", expression: "object.tags + object.tags[0]", want: undefined },
])("a diagnostic shows $name", ({ expression, want }) => {
  const { value } = parseExpression(sourceFile("case", expression));
  const found = evaluate(value, scope).diagnostics;
  if (found.length === 1) expect(found[0]!.expressionValues).toEqual(want);
  else
    expect(found.map(({ expressionValues }) => expressionValues)).toEqual([
      ["object.tags is tuple with 2 elements"],
      ['object.tags[0] is "a"'],
    ]);
});

test.for([
  { name: "variables", expression: "x.y", summary: "Variables not allowed" },
  { name: "functions", expression: "upper(1)", summary: "Function calls not allowed" },
])("without a scope no $name are allowed", ({ expression, summary }) => {
  const { value } = parseExpression(sourceFile("case", expression));
  expect(evaluate(value).diagnostics.map((diagnostic) => diagnostic.summary)).toEqual([summary]);
});

test("without a scope the strings of JSON are taken as they are", () => {
  const { value } = parseJsonValue(sourceFile("case", '{"${a}": ["%{ if b }", "$${c}"]}'));
  const { file, start, end } = value;
  const found = evaluate({ kind: "json", value, file, start, end });
  expect(found.diagnostics).toEqual([]);
  expect(valueText(found.value)).toBe('{"${a}" = ["%{ if b }", "$${c}"]}');
});

test("the sensitive name of a JSON property makes the whole object sensitive", () => {
  const { value } = parseJsonValue(sourceFile("case", '{"${secret}": 1}'));
  const { file, start, end } = value;
  const found = evaluate({ kind: "json", value, file, start, end }, scope);
  expect(valueText(found.value)).toBe('marked({"s3cret" = 1}, sensitive)');
});

test("a variable of an inner scope hides one of an outer", () => {
  const inner: Scope = { variables: new Map([["list", scope.variables!.get("text")!]]), parent: scope };
  const { value } = parseExpression(sourceFile("case", '"${list} ${number}"'));
  expect(valueText(evaluate(value, inner).value)).toBe('"hello 12.5"');
});

test("root variables are asked for by name, and only when they are referred to", () => {
  const asked: string[] = [];
  const variables = {
    get: (name: string) => {
      asked.push(name);
      return scope.variables!.get(name);
    },
    keys: () => scope.variables!.keys(),
  };
  const { value } = parseExpression(sourceFile("case", "[for x in list : upper(x)]"));
  evaluate(value, { variables, functions: languageFunctions });
  expect(asked).toEqual(["list"]);
});

test("a long known beginning is cut where the text is not yet known", () => {
  const { value } = parseExpression(sourceFile("case", `"${"é".repeat(100)}\${unknown_text}"`));
  expect(valueText(evaluate(value, scope).value)).toBe(`unknown(string, not null, begins with "${"é".repeat(63)}")`);
});
